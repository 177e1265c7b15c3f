"""Where sources may be: public addresses and what an operator adds, looked at once and connected to as they were."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from civitas_assets.catalog import HttpPolicy, Source
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.reachable import LOCAL, PUBLIC, Reachable
from civitas_assets.connectors.sql.sql_database import Database
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.connectors.transport.mqtt import Subscription, drain
from civitas_assets.errors import FetchError
from civitas_assets.settings import Settings

Resolve = Callable[..., list[tuple[Any, ...]]]


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Names resolve to these, in turn, the last one for ever; numbers to themselves. Returns what is asked for."""
    asked: list[str] = []

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        is_number = ":" in host or host.replace(".", "").isdigit()
        found = [host] if is_number else answers[min(len(asked), len(answers) - 1)]
        if not is_number:
            asked.append(host)
        return [
            (socket.AF_INET6 if ":" in at else socket.AF_INET, socket.SOCK_STREAM, 6, "", (at, port))
            for at in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104
        "127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1",
        "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "::7f00:1", "::ffff:0:127.0.0.1", "fec0::1",
        "64:ff9b:1::7f00:1", "2001:0:7f00:1::", "2a00:1:2:3:0:5efe:7f00:1", "2a00:1:2:3:200:5efe:a9fe:a9fe", "3fff::1",
        "5f00::1", "192.0.0.8", "192.88.99.1", "fe80::1%lo",
    ],
)  # fmt: skip
def test_what_is_not_public_is_not_reached(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    resolving(monkeypatch, [address])
    for host in (address, "data.example"):
        with pytest.raises(FetchError, match="CIVITAS_REACHABLE"):
            PUBLIC.resolve_host(host, 443)


def test_what_is_public_is_reached_and_of_several_only_that(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["10.0.0.1", "93.184.216.34", "2606:2800:220:1::1"])
    assert PUBLIC.resolve_host("data.example", 443) == ["93.184.216.34", "2606:2800:220:1::1"]
    for address in ("64:ff9b::8.8.8.8", "2a00:1:2:3::7f00:1"):
        assert PUBLIC.resolve_host(address, 443) == [address]


def test_a_service_of_our_own_that_has_no_address_now_is_no_fault_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        if host == "gone.example":
            raise socket.gaierror("no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    reachable = Reachable.from_text("", [("gone.example", 443)])
    assert reachable.resolve_host("data.example", 443) == ["93.184.216.34"]
    with pytest.raises(OSError, match="no such name"):
        reachable.resolve_host("gone.example", 443)


@pytest.mark.parametrize(
    ("written", "host", "port", "is_reached"),
    [
        ("10.1.0.0/16", "data.example", 443, True),
        ("10.2.0.0/16, 10.1.2.3", "data.example", 443, True),
        ("10.2.0.0/16", "data.example", 443, False),
        ("data.example", "Data.Example.", 443, True),
        ("data.example", "other.example", 443, False),
        ("data.example:8443", "data.example", 443, False),
        ("data.example:8443", "data.example", 8443, True),
        ("10.1.2.3:443", "data.example", 443, True),
        ("fd00::/8", "data.example", 443, False),
    ],
)
def test_an_operator_adds_networks_hosts_and_endpoints(
    monkeypatch: pytest.MonkeyPatch, written: str, host: str, port: int, is_reached: bool
) -> None:
    resolving(monkeypatch, ["10.1.2.3"])
    guard = Reachable.from_settings(Settings(reachable=written))
    if is_reached:
        assert guard.resolve_host(host, port) == ["10.1.2.3"]
    else:
        with pytest.raises(FetchError):
            guard.resolve_host(host, port)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://civitas@own.example:5432/data",
        "host=own.example user=civitas",
        "postgresql:///data?host=own.example",
    ],
)
def test_the_deployments_own_server_is_reached_only_by_its_port(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    resolving(monkeypatch, ["93.184.216.34"])
    for written in ("", "93.184.0.0/16", "own.example", "alias.example"):
        guard = Reachable.from_settings(Settings(postgres_url=url, reachable=written))
        for host in ("own.example", "alias.example", "93.184.216.34"):
            with pytest.raises(FetchError):
                guard.resolve_host(host, 5432)
        assert guard.resolve_host("own.example", 443)
    guard = Reachable.from_settings(Settings(postgres_url=url, reachable="own.example:5432"))
    assert guard.resolve_host("own.example", 5432)


@pytest.mark.parametrize("written", ["10.1.0.0/16/3", "http://data.example", "*"])
def test_what_is_no_address_is_refused_with_the_setting(written: str) -> None:
    with pytest.raises(ValueError, match="write networks such as"):
        Settings(reachable=written)


def source(url: str) -> Source:
    return Source(
        connector="any", title="Any", licence="CC0-1.0", url=url, allow_hosts=("other.example",),
        http=HttpPolicy(attempts=1),
    )  # fmt: skip


def client(reachable: Reachable) -> HttpClient:
    return HttpClient("test", clock=lambda: None, secrets=str, reachable=reachable)  # type: ignore[arg-type, return-value]


@pytest.fixture
def own_service() -> Any:
    """A listener on loopback, which counts who connects."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    yield listener
    listener.close()


def nobody_came(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except TimeoutError:
        return True
    return False


def test_no_transport_connects_to_what_is_not_reachable(own_service: socket.socket) -> None:
    port = own_service.getsockname()[1]
    with client(PUBLIC) as http, pytest.raises(FetchError, match="CIVITAS_REACHABLE"):
        http.get(Request(f"http://localhost:{port}/"), source(f"http://localhost:{port}/"))
    with pytest.raises(FetchError, match="CIVITAS_REACHABLE"):
        drain(Subscription("localhost", port, "test", ("#",)), lambda _: None)
    for backend in ("postgresql", "mysql+pymysql", "mssql+pymssql"):
        database = Database(f"{backend}://civitas@localhost:{port}/data", None, 1.0, 1.0)
        with pytest.raises(FetchError, match="CIVITAS_REACHABLE"), database.open_connection():
            pass
    assert nobody_came(own_service)


def test_a_name_that_changes_in_between_leads_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, own_service: socket.socket
) -> None:
    """The second answer of the name is never asked for: the connection goes to what was looked at."""
    asked = resolving(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    tried: list[str] = []

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        tried.append(address[0])
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(socket, "create_connection", connect)
    with client(PUBLIC) as http, pytest.raises(FetchError, match="no whole answer"):
        http.get(Request("http://data.example/"), source("http://data.example/"))
    assert (asked, tried) == (["data.example"], ["93.184.216.34"])


def test_a_proxy_is_the_operators_and_what_is_behind_it_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, own_service: socket.socket
) -> None:
    port = own_service.getsockname()[1]
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    with client(PUBLIC) as http, pytest.raises(FetchError, match="CIVITAS_REACHABLE"):
        http.get(Request("http://169.254.169.254/"), source("http://169.254.169.254/"))
    assert nobody_came(own_service)


def test_loopback_is_reached_where_it_is_declared(own_service: socket.socket) -> None:
    port = own_service.getsockname()[1]
    LOCAL.connect("127.0.0.1", port, 1.0).close()
    assert not nobody_came(own_service)


def test_a_driver_is_given_the_connection_and_what_the_server_says_is_told() -> None:
    """PyMySQL speaks over the socket that was looked at; this server is full, as its first packet says."""
    said = b"\xff\x10\x04#08004Too many connections"
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor() as pool:

        def refuse() -> None:
            link, _ = listener.accept()
            with link:
                link.sendall(len(said).to_bytes(3, "little") + b"\x00" + said)

        refusing = pool.submit(refuse)
        url = f"mysql+pymysql://civitas@localhost:{listener.getsockname()[1]}/data"
        with (
            pytest.raises(FetchError, match="Too many connections"),
            Database(url, None, 2.0, 1.0, LOCAL).open_connection(),
        ):
            pass
        refusing.result()
