"""Client certificates: shown to the source's own server over trusted TLS, and to nobody else.

The servers are real ones on loopback; authority and certificates are made for each test run.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from civitas_assets.catalog.model import HttpPolicy, Source
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.reachable import LOCAL
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.connectors.transport.http_tls import make_trust_context
from civitas_assets.errors import FetchError, SecretMissing
from testbed import serving as served

PASSWORD = "open sesame"  # noqa: S105 - of a key that lives as long as the test
TODAY = dt.datetime.now(dt.UTC)
LOOPBACK = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])


class Authority:
    """Issues certificates; its own is what the other side has to trust."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._own = self._signed(self._name, self._key, x509.BasicConstraints(ca=True, path_length=None))

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType
    ) -> x509.Certificate:
        authority = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(TODAY - dt.timedelta(days=1))
            .not_valid_after(TODAY + dt.timedelta(days=1))
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )

    def write(self, file: Path) -> Path:
        """The authority's own certificate."""
        file.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))
        return file

    def issue(self, file: Path, name: str, password: str = "") -> Path:
        """Certificate and key in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password:
            encryption = serialization.BestAvailableEncryption(password.encode())
        file.write_bytes(
            self._signed(subject, key, LOOPBACK).public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        )
        return file


class Handler(served.Request):
    """Tells callers whom their certificate names, or sends them elsewhere."""

    server: Server

    def do_GET(self) -> None:
        peer: Any = self.connection.getpeercert() or {}  # type: ignore[attr-defined]
        name = dict(pair for part in peer.get("subject", ()) for pair in part).get("commonName", "nobody")
        self.server.seen.append(name)
        self.send_response(302 if self.server.onward else 200)
        if self.server.onward:
            self.send_header("Location", self.server.onward)
        self.end_headers()
        self.wfile.write(name.encode())


class Server(ThreadingHTTPServer):
    """A TLS server on loopback."""

    def __init__(self, context: ssl.SSLContext, onward: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.onward, self.seen = onward, list[str]()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A handshake that fails is what some tests are about."""

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_port}/data"


@dataclass
class World:
    """An authority that all trust, the files that it issued, and the environment that names them."""

    folder: Path
    authority: Authority
    environment: dict[str, str]

    def read_secret(self, name: str) -> str:
        if name not in self.environment:
            raise SecretMissing(name)
        return self.environment[name]

    def fetch(self, url: str, **more: Any) -> bytes | None:
        with HttpClient(
            "test", clock=lambda: TODAY, secrets=self.read_secret, reachable=LOCAL, sleep=lambda _: None
        ) as client:
            return client.get(Request(url), source(url, **more)).body


def source(url: str, **more: Any) -> Source:
    """A source that shows the certificate unless the test says otherwise."""
    settings: dict[str, Any] = {
        "connector": "test",
        "title": "t",
        "licence": "CC0-1.0",
        "url": url,
        "certificate": {"file": {"secret": "CERTIFICATE"}},
        "http": HttpPolicy(requests_per_second=200.0, timeout="5 s", attempts=1),
        **more,
    }
    return Source.model_validate(settings).with_place("items", (7.0, 51.0, 8.0, 52.0))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A machine that trusts the authority of the test."""
    authority = Authority("authority of the test")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.write(tmp_path / "authority.pem")))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")
    certificate = authority.issue(tmp_path / "client.pem", "a town")
    make_trust_context.cache_clear()
    yield World(tmp_path, authority, {"CERTIFICATE": str(certificate), "PASSWORD": PASSWORD})
    make_trust_context.cache_clear()


@pytest.fixture
def serve(world: World) -> Iterator[Callable[..., Server]]:
    """Starts servers that ask for a certificate of the authority; the strict ones take nobody without."""
    with ExitStack() as stack:

        def start(verify: ssl.VerifyMode = ssl.CERT_REQUIRED, onward: str = "") -> Server:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(world.authority.issue(world.folder / "server.pem", "server"))
            context.load_verify_locations(world.folder / "authority.pem")
            context.verify_mode = verify
            server = stack.enter_context(Server(context, onward))
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return server

        yield start


def test_a_server_that_demands_a_certificate_is_shown_the_one_of_the_source(
    world: World, serve: Callable[..., Server]
) -> None:
    assert world.fetch(serve().url) == b"a town"


def test_a_key_with_a_password_is_opened_with_the_secret_that_is_named(
    world: World, serve: Callable[..., Server]
) -> None:
    world.environment["CERTIFICATE"] = str(
        world.authority.issue(world.folder / "locked.pem", "a locked town", PASSWORD)
    )
    certificate = {"file": {"secret": "CERTIFICATE"}, "password": {"secret": "PASSWORD"}}
    assert world.fetch(serve().url, certificate=certificate) == b"a locked town"


def test_two_sources_with_two_certificates_stay_two_callers(
    world: World, serve: Callable[..., Server]
) -> None:
    world.environment["OTHER"] = str(world.authority.issue(world.folder / "other.pem", "another town"))
    server = serve(ssl.CERT_OPTIONAL)
    with HttpClient("test", clock=lambda: TODAY, secrets=world.read_secret, reachable=LOCAL) as client:
        for certificate in ({"file": {"secret": "CERTIFICATE"}}, {"file": {"secret": "OTHER"}}, None) * 2:
            client.get(Request(server.url), source(server.url, certificate=certificate))
    assert server.seen == ["a town", "another town", "nobody"] * 2


def test_without_a_certificate_such_a_server_is_an_error_that_says_what_to_check(
    world: World, serve: Callable[..., Server]
) -> None:
    server = serve()
    with pytest.raises(FetchError, match=r"CERTIFICATE_REQUIRED.*check certificate:"):
        world.fetch(server.url, certificate=None)
    assert not server.seen


def test_a_server_of_an_unknown_authority_is_not_trusted_for_having_asked(
    world: World, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    strangers = Authority("authority of strangers").write(world.folder / "strangers.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(strangers))
    with pytest.raises(FetchError, match=r"CERTIFICATE_VERIFY_FAILED.*check certificate:, and SSL_CERT_FILE"):
        world.fetch(server.url)
    assert not server.seen


def test_another_host_that_a_redirect_leads_to_is_not_shown_the_certificate(
    world: World, serve: Callable[..., Server]
) -> None:
    other = serve(ssl.CERT_OPTIONAL)
    home = serve(onward=other.url)
    assert world.fetch(home.url, allow_hosts=("127.0.0.1",)) == b"nobody"
    assert (home.seen, other.seen) == (["a town"], ["nobody"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"", "no PEM of both, or another password"),
        (b"\x30\x82 a PKCS 12 file", "no PEM of both, or another password"),
    ],
    ids=["missing", "empty", "not PEM"],
)
def test_a_file_that_holds_no_certificate_is_named_by_its_variable_and_not_by_its_path(
    world: World, content: bytes | None, reason: str
) -> None:
    file = world.folder / "s3cr3t-place.pem"
    if content is not None:
        file.write_bytes(content)
    world.environment["CERTIFICATE"] = str(file)
    with pytest.raises(FetchError, match=f"the file that CERTIFICATE names.*{reason}") as caught:
        world.fetch("https://127.0.0.1:1/data")
    assert "s3cr3t-place" not in str(caught.value)


@pytest.mark.parametrize("password", ["", "wrong", "x" * 2000])
def test_a_key_that_the_password_does_not_open_is_an_error_and_no_question_on_the_terminal(
    world: World, password: str
) -> None:
    world.environment |= {
        "CERTIFICATE": str(world.authority.issue(world.folder / "locked.pem", "x", PASSWORD)),
        "PASSWORD": password,
    }
    certificate = {"file": {"secret": "CERTIFICATE"}, "password": {"secret": "PASSWORD"}}
    with pytest.raises(FetchError, match="another password"):
        world.fetch(
            "https://127.0.0.1:1/data",
            certificate=certificate if password else {"file": {"secret": "CERTIFICATE"}},
        )


def test_a_variable_that_is_not_set_is_named(world: World) -> None:
    del world.environment["CERTIFICATE"]
    with pytest.raises(SecretMissing, match="CERTIFICATE is not set"):
        world.fetch("https://127.0.0.1:1/data")


def test_a_certificate_needs_an_address_with_tls() -> None:
    with pytest.raises(ValidationError, match="url must begin with https://"):
        source("http://data.example/v1")
