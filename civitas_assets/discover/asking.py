"""Asking within a budget: every address goes through the one client of HTTP and the one guard of addresses."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from civitas_assets.catalog import HttpPolicy
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.reachable import Reachable
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.errors import FetchError, SecretMissing
from civitas_assets.ingest.given import Given, parse_url_request
from civitas_assets.settings import Settings

MEBIBYTE = 1024 * 1024
_LONGEST = 120.0  # seconds for one answer


@dataclass(frozen=True)
class Fetched:
    """A body, its address without what lets somebody in, and what a tenant's file has to say instead of that."""

    url: str
    body: bytes
    advice: tuple[str, ...] = ()


class BudgetSpent(FetchError):
    """There is no time left for further answers."""


@dataclass
class Asker:
    """Asks address after address, until `seconds` are over; secrets that an address holds are not told."""

    user_agent: str
    reachable: Reachable
    seconds: float = 600.0
    requests_per_second: float = 4.0
    monotonic: Callable[[], float] = time.monotonic
    asked: int = 0
    _given: Given | None = None
    _client: HttpClient = field(init=False)
    _until: float = field(init=False)

    @classmethod
    def from_settings(cls, settings: Settings, seconds: float) -> Self:
        """With what the deployment may reach."""
        return cls(settings.user_agent, Reachable.from_settings(settings), seconds)

    def __post_init__(self) -> None:
        self._client = HttpClient(
            self.user_agent,
            clock=lambda: datetime.now(UTC),
            secrets=self._read_secret,
            reachable=self.reachable,
        )
        self._until = self.monotonic() + self.seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.__exit__(kind, error, trace)

    @property
    def client(self) -> HttpClient:
        """The client, for connectors that fetch by themselves."""
        return self._client

    def fetch_body(self, url: str, most_bytes: int = 64 * MEBIBYTE, *, attempts: int = 1) -> Fetched:
        """What is answered at an address.

        Raises:
            BudgetSpent: the time is over.
            FetchError: it was not answered, is larger, or may not be reached.
        """
        left = self._until - self.monotonic()
        if left <= 1:
            raise BudgetSpent(f"the {self.seconds:.0f} seconds for asking are over")
        policy = HttpPolicy(
            attempts=attempts,
            max_bytes=most_bytes,
            requests_per_second=self.requests_per_second,
            total_time=timedelta(seconds=min(_LONGEST, left)),
            timeout=timedelta(seconds=20),
        )
        self._given = parse_url_request(url, policy)
        self.asked += 1
        shown = self._given.source.url
        body = self._client.get(Request(shown), self._given.source).body or b""
        return Fetched(shown, body, self._given.advice)

    def _read_secret(self, name: str) -> str:
        if self._given is None:
            raise SecretMissing(name)
        return self._given.read_secret(name)
