"""Files on servers of others: in which folder they lie, and who we are there. How they are fetched, transport knows.

Addresses are those of RFC 3986 with a pattern of names at the end, as in `sftp://user@host:22/folder/*.csv`,
`s3://bucket/folder/*.csv` and `webdavs://host/folder/*.csv`; a path of SFTP that begins with `/~/` is below the
login's home.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Annotated, Literal, Self, get_args
from urllib.parse import quote, unquote, urlsplit

from pydantic import AfterValidator, Field, model_validator

from civitas_assets.catalog.access import SecretRef
from civitas_assets.catalog.basis import Model
from civitas_assets.catalog.described import Described

DROP = "drop:"
Scheme = Literal["sftp", "s3", "webdav", "webdavs"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
_SSH_PORT = 22
_WILD = re.compile(r"[*?[]")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_KEY_LINE = re.compile(r"(?:^|\s)(?:ssh-|ecdsa-sha2-)\S+\s+([A-Za-z0-9+/]{40,}={0,2})(?:\s|$)")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# What only requests of HTTP carry, by scheme.
_NO_HTTP = ("headers", "basic_auth", "certificate", "allow_hosts")
_NEVER = ("each", "query", "link", "next")


@dataclass(frozen=True)
class FileAddress:
    """A folder on a server, and which names its files have.

    `host` is the bucket's name for `s3`. `folder` is without slashes at its ends, and empty for the topmost one.
    """

    scheme: Scheme
    host: str
    port: int | None
    username: str
    folder: str
    pattern: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """The address that a tenant has written.

        Raises:
            ValueError: it is none; without what it says, which may be a password.
        """
        try:
            parts = urlsplit(url.replace("?", "%3F").replace("#", "%23"))
            port = parts.port
        except ValueError:
            raise ValueError(
                "url has no host or port that could be asked: look at what follows ://"
            ) from None
        if parts.password is not None:
            raise ValueError("url holds a password: leave that out, and name it as a secret")
        scheme = next((known for known in SCHEMES if known == parts.scheme), None)
        if not parts.hostname or scheme is None:
            raise ValueError(f"url names no server, such as {parts.scheme}://host/folder/*.csv")
        folder, _, pattern = unquote(parts.path).lstrip("/").rpartition("/")
        if _WILD.search(folder) or {".", ".."} & {*folder.split("/")} or "//" in f"{folder}/":
            folder_rule = "only the name of files, behind the last slash, is a pattern"
            raise ValueError(f"url has no plain folder: {folder_rule}, as in folder/*.csv")
        return cls(scheme, parts.hostname, port, unquote(parts.username or ""), folder, pattern or "*")

    @property
    def site(self) -> str:
        """Host and port, as addresses have them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host

    @property
    def ssh_port(self) -> int:
        """Where SSH is spoken."""
        return self.port or _SSH_PORT

    def locate(self, name: str = "") -> str:
        """The address of the folder, or of a file in it, as it may be shown and kept: without a login."""
        path = f"{self.folder}/{name}" if self.folder else name
        return f"{self.scheme}://{self.site}/{quote(path, safe='/~')}"


def _host_key(written: str) -> str:
    """The fingerprint of a host key that is written as such, or as a line of `known_hosts` or of a public key."""
    if _FINGERPRINT.fullmatch(written):
        return written
    found = _KEY_LINE.search(written)
    try:
        key = base64.b64decode(found[1], validate=True) if found else b""
    except binascii.Error:
        key = b""
    if not key:
        raise ValueError(
            "is no key of a host, which is written SHA256:… as ssh-keygen -l prints it, or as a line of ssh-keyscan"
        )
    return f"SHA256:{base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip('=')}"


class SftpAccess(Model):
    """Who we are to a server of SFTP, and by which keys we know that it is the right one."""

    host_keys: tuple[Annotated[str, AfterValidator(_host_key)], ...] = Field(
        min_length=1,
        description="Keys of the server, one of which it must have: fingerprints SHA256:…, or lines of known_hosts.",
    )
    password: SecretRef | None = Field(None, description="Name of the secret.")
    private_key: SecretRef | None = Field(
        None,
        description="Instead: environment variable that holds the path of the file with our private key.",
    )
    passphrase: SecretRef | None = Field(None, description="Password of the private key, where it has one.")

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.password is None) == (self.private_key is None):
            raise ValueError("either password or private_key lets us in")
        if self.passphrase is not None and self.private_key is None:
            raise ValueError("passphrase belongs to private_key")
        return self


class S3Access(Model):
    """Which object storage has the bucket, and who we are there; nobody in particular without keys."""

    endpoint: str = Field(
        pattern=r"^https?://[^/?#@]+/?$", description="Its address, such as https://s3.example.org."
    )
    region: str = Field("us-east-1", pattern=r"^[a-z0-9-]+$", description="Its region, as it is signed.")
    access_key: SecretRef | None = Field(None, description="Id of the access key.")
    secret_key: SecretRef | None = Field(None, description="The secret access key.")

    @model_validator(mode="after")
    def _both_keys(self) -> Self:
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("access_key and secret_key belong together")
        return self


class FileServed(Described):
    """What may have its files in a folder, here or on a server, of which each file is taken once."""

    sftp: SftpAccess | None = Field(None, description="Host keys and login of the server of a url sftp://.")
    s3: S3Access | None = Field(None, description="Storage and keys of a url s3://.")

    @property
    def dropped(self) -> str | None:
        """Which names the files have that are dropped into the source's folder; None where it has none."""
        url = str(getattr(self, "url", ""))
        return (url.removeprefix(DROP) or "*") if url.startswith(DROP) else None

    @property
    def has_folder(self) -> bool:
        """Whether its files are taken from a folder, here or on a server, each once."""
        return self.dropped is not None or self.file_address is not None

    @property
    def file_address(self) -> FileAddress | None:
        """The folder on a server that has the files; None where they come by another way."""
        url = str(getattr(self, "url", ""))
        return FileAddress.parse(url) if url.partition("://")[0] in SCHEMES else None

    @model_validator(mode="after")
    def _server_is_known(self) -> Self:
        scheme = str(getattr(self, "url", "")).partition("://")[0]
        for name in ("sftp", "s3"):
            if (getattr(self, name) is None) == (scheme == name):
                raise ValueError(f"{name} and a url that begins with {name}:// belong together")
        address = self.file_address
        if address is None:
            return self
        if not self.takes_files:
            raise ValueError(f"url: {scheme}:// is for csv, excel, json, geojson and geofile")
        refused = (*_NEVER, *(() if scheme.startswith("webdav") else _NO_HTTP))
        for name in refused:
            if name in self.model_fields_set:
                raise ValueError(f"{name} has no meaning for a folder on a server, {scheme}://")
        if "{" in address.locate() or "{" in address.pattern:
            raise ValueError(f"url: {scheme}:// has a pattern of names, such as *.csv, and no {{…}}")
        if scheme != "sftp" and address.username:
            raise ValueError(
                "url holds a login: leave that out, and name it, as in basic_auth: {username: USER, "
                "password: {secret: NAME}}, or access_key and secret_key of s3"
            )
        if scheme == "sftp" and not address.username:
            raise ValueError("url names no login, such as sftp://user@host/folder/*.csv")
        if scheme == "s3" and (address.port or not _BUCKET.fullmatch(address.host)):
            raise ValueError("url names no bucket, such as s3://bucket/folder/*.csv")
        return self
