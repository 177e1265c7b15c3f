"""An address that somebody gives to be looked at: as a source, with what lets somebody in taken out of the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from civitas_assets.catalog import HttpPolicy, Source
from civitas_assets.catalog.access import BasicAuth, SecretRef
from civitas_assets.errors import SecretMissing
from civitas_assets.redaction import is_credential

_PASSWORD = "PROBE_PASSWORD"  # noqa: S105 - a name


@dataclass(frozen=True)
class Given:
    """The source, the secrets that it names, and what a tenant's file has to say instead."""

    source: Source
    secrets: Mapping[str, str]
    advice: tuple[str, ...]

    def read_secret(self, name: str) -> str:
        """The value of a secret.

        Raises:
            SecretMissing: the address held none of that name.
        """
        if name not in self.secrets:
            raise SecretMissing(name)
        return self.secrets[name]


def parse_url_request(url: str, policy: HttpPolicy) -> Given:
    """What is asked at the address."""
    parts = urlsplit(url)
    secrets, query, advice, login = dict[str, str](), dict[str, SecretRef](), list[str](), None
    rest = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in rest if not is_credential(name, value)]
    for name, value in rest:
        if is_credential(name, value):
            key = f"PROBE_{len(secrets)}"
            secrets[key], query[name] = value, SecretRef(secret=key)
            advice.append(f"query: {{{name}: {{secret: NAME}}}}")
    if parts.password:
        secrets[_PASSWORD] = unquote(parts.password)
        login = BasicAuth(username=unquote(parts.username or ""), password=SecretRef(secret=_PASSWORD))
        advice.append("basic_auth: {username: USER, password: {secret: NAME}}")
    netloc = parts.netloc.rpartition("@")[2]
    written = parts.query if len(kept) == len(rest) else urlencode(kept)
    source = Source(
        connector="probe",
        title="Probe",
        licence="proprietary",
        url=parts._replace(netloc=netloc, query=written).geturl(),
        query=query,
        basic_auth=login,
        http=policy,
    )
    return Given(source, secrets, tuple(advice))
