"""How a source is reached: by secrets that only the environment holds, by a certificate, and how politely.

What it brings is in `model.py`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator

from civitas_assets.catalog.basis import Model
from civitas_assets.catalog.frame import Frame
from civitas_assets.catalog.window import Duration

# What lets this deployment into its own stores is not for a tenant's file to name.
_OWN = re.compile(r"(CIVITAS|DAGSTER|DBT|AWS|AZURE|GOOGLE)_|PG[A-Z]+$")


class SecretRef(Model):
    """A value that the environment holds under a name; only the name is ever written down."""

    secret: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$", description="Name of the environment variable.")
    prefix: str = Field("", description="Text before the secret, such as 'Bearer '.")
    encoding: Literal["plain", "base64"] = Field(
        "plain", description="How the secret is sent: as it is, or in base64 of its UTF-8."
    )

    @field_validator("secret")
    @classmethod
    def _of_a_source(cls, name: str) -> str:
        if _OWN.match(name):
            raise ValueError("names a setting of the deployment, which no source may send anywhere")
        return name

    def encode(self, secret: str) -> str:
        """The secret as it is sent, without the prefix."""
        return secret if self.encoding == "plain" else base64.b64encode(secret.encode()).decode()


def add_token_header(said: Any, header: str, **reference: str) -> Any:
    """What a tenant says of a source, with its `token` in a header, too; `reference` is how it is sent there.

    Raises:
        ValueError: the token itself is written down, which is said without repeating it.
    """
    if not isinstance(said, Mapping):
        return said
    token, headers = said.get("token"), said.get("headers", {})
    if isinstance(token, str):
        raise ValueError("token must be {secret: NAME}, the name of an environment variable")
    if not isinstance(token, Mapping) or not isinstance(headers, Mapping):
        return said
    return {**said, "headers": {header: {**reference, **token}, **headers}}


def require_header(headers: Mapping[str, object], header: str, setting: str) -> None:
    """Nothing, where a source has the header that its `setting` brings.

    Raises:
        ValueError: it has none.
    """
    if not any(name.lower() == header.lower() for name in headers):
        raise ValueError(f"{setting} is needed: {{secret: NAME}}, the name of an environment variable")


class BasicAuth(Model):
    """Who we are to a server that asks for a name and a password (RFC 7617)."""

    username: str | SecretRef = Field(description="Whom the server knows.")
    password: SecretRef = Field(description="Name of the secret.")


class ClientCertificate(Model):
    """Who we are to a server that asks for a certificate: a PEM file with certificate and private key."""

    file: SecretRef = Field(description="Environment variable that holds the path of the PEM file.")
    password: SecretRef | None = Field(None, description="Password of the private key, where it has one.")


class HttpPolicy(Model):
    """How politely and how patiently a source is fetched."""

    requests_per_second: float = Field(2.0, gt=0, le=200, description="Ceiling per host.")
    parallel: int = Field(4, ge=1, le=32, description="Requests under way at once, per host.")
    timeout: Duration = Field("30 s", validate_default=True, description="Longest silence of the server.")
    total_time: Duration = Field(
        "10 min", validate_default=True, description="Longest time for one answer, with all tries and pauses."
    )
    fetch_time: Duration | None = Field(
        None, description="Longest time for all answers of one fetch; by default as the cadence has it."
    )
    max_bytes: int = Field(512 * 1024 * 1024, ge=1, description="Largest decoded answer.")
    attempts: int = Field(4, ge=1, le=10, description="Tries per request, the first included.")
    max_pages: int = Field(10_000, ge=1, description="Most answers of one fetch; more is an error.")

    def limit_to(self, frame: Frame) -> Self:
        """The same with nothing over the operator's ceilings."""
        lowered = {
            "max_bytes": min(self.max_bytes, frame.max_bytes),
            "max_pages": min(self.max_pages, frame.max_pages),
            "total_time": min(self.total_time, frame.max_time),
        }
        return self.model_copy(update=lowered)
