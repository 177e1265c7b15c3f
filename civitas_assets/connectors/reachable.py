"""Where sources may be: the one guard of addresses, asked by HTTP, SQL, MQTT and SFTP before anything is connected to.

A name is resolved once, what it resolves to is looked at, and the connection goes to that very address: who answers for
the name cannot give another one in between. What is reachable the operator decides, see `CIVITAS_REACHABLE`.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self, TypeVar
from urllib.parse import urlsplit

from civitas_assets.errors import FetchError
from civitas_assets.settings import LOOPBACK, Settings

T = TypeVar("T")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_ISATAP = 0x5EFE  # before an address of version 4, in those of tunnels within a site
_UNICAST = ipaddress.IPv6Network("2000::/3")
# Multicast, protocols, relays and examples, which the library counts as global, or has not heard of.
_SPECIAL = tuple(map(ipaddress.ip_network, ("224.0.0.0/4", "192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))


@dataclass(frozen=True)
class Reachable:
    """Public unicast addresses, and what an operator adds: networks, hosts, and endpoints that are `(host, port)`.

    The endpoints of the deployment's `own` services are reached only where they are among the endpoints.
    """

    networks: tuple[_Network, ...] = ()
    hosts: frozenset[str] = frozenset()
    endpoints: frozenset[tuple[str, int]] = frozenset()
    own: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """What the deployment's settings say."""
        return cls.from_text(settings.reachable, settings.own_endpoints)

    @classmethod
    def from_text(cls, written: str, own: Iterable[tuple[str, int]] = ()) -> Self:
        """Public addresses and what is written, as in the setting `reachable`."""
        entries = written.replace(",", " ").split()
        networks = [network for entry in entries if (network := _network(entry)) is not None]
        named = [_endpoint(entry) for entry in entries if _network(entry) is None]
        return cls(
            tuple(networks),
            frozenset(host for host, port in named if port is None),
            frozenset((host, port) for host, port in named if port is not None),
            frozenset(own),
        )

    def resolve_host(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host that may be connected to, as numbers.

        Raises:
            FetchError: there are none.
            OSError: the name cannot be resolved.
        """
        host = host.strip("[]").rstrip(".").lower()
        found = _resolved(host, port)
        own = {(at, one) for name, one in self.own if one == port for at in (name, *_found(name, port))}
        admitted = [
            at
            for at in found
            if self._admits(host, at, port, is_own=not own.isdisjoint({(host, port), (at, port)}))
        ]
        if not admitted:
            where = f"{host}:{port}" if host in found else f"{host}:{port}, at {', '.join(found)},"
            raise FetchError(
                f"{where} may not be reached by sources: that may public addresses, and what CIVITAS_REACHABLE adds"
            )
        return admitted

    def _admits(self, host: str, address: str, port: int, *, is_own: bool) -> bool:
        if not {(host, port), (address, port)}.isdisjoint(self.endpoints):
            return True
        if is_own:
            return False
        return host in self.hosts or all(
            _is_public(ip)
            or any(ip.version == network.version and ip in network for network in self.networks)
            for ip in _meant(ipaddress.ip_address(address.partition("%")[0]))
        )

    def connect(self, host: str, port: int, timeout: float | None) -> socket.socket:
        """A connection to the first of the host's addresses that takes it; `timeout` in seconds is for each.

        Raises:
            FetchError: no address of the host may be reached.
            OSError: the name cannot be resolved, or nobody answers.
        """
        return connect_first(
            self.resolve_host(host, port), lambda at: socket.create_connection((at, port), timeout), OSError
        )


def connect_first(addresses: Sequence[str], connect: Callable[[str], T], fault: type[Exception]) -> T:
    """What connecting to the first of the addresses gives that does not fail so; where all do, the last failure."""
    for address in addresses[:-1]:
        with suppress(fault):
            return connect(address)
    return connect(addresses[-1])


def _is_public(ip: _Address) -> bool:
    """Whether it is unicast of the internet; of version 6 that is one block, and all others are of something else."""
    is_unicast = ip.version == 4 or ip in _UNICAST
    return ip.is_global and is_unicast and not any(ip in network for network in _SPECIAL)


def _meant(ip: _Address) -> Sequence[_Address]:
    """The address, and the one that it carries where routers or the system translate it."""
    if isinstance(ip, ipaddress.IPv4Address):
        return [ip]
    last = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip.ipv4_mapped is not None or ip in _NAT64:
        return [last]
    carried = [ip.sixtofour, ip.teredo[1] if ip.teredo else None]
    if (int(ip) >> 32) & 0xFDFFFFFF == _ISATAP:
        carried.append(last)
    return [ip, *(one for one in carried if one is not None)]


def _resolved(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _found(host: str, port: int) -> list[str]:
    """The same of one of our own, which may have no address just now: that is no fault of others."""
    with suppress(OSError):
        return _resolved(host, port)
    return []


def _network(entry: str) -> _Network | None:
    try:
        return ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return None


def _endpoint(entry: str) -> tuple[str, int | None]:
    parts = urlsplit(f"//{entry}")
    return (parts.hostname or "").lower(), parts.port


PUBLIC = Reachable()
LOCAL = Reachable.from_text(LOOPBACK)  # for samples and tests
