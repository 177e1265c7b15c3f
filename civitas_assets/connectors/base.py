"""What a connector is: it knows how to fetch one protocol and how to read what was fetched.

A connector knows no tenant, no store and no database; it gets a source, a window and a session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, cast
from zoneinfo import ZoneInfo

import msgspec

from civitas_assets.catalog import Source, Window
from civitas_assets.connectors.mapping.service_rows import read_members
from civitas_assets.connectors.reachable import Reachable
from civitas_assets.records import RawTable, Roster
from civitas_assets.spool import Body, read_whole

T = TypeVar("T")


def read_clock() -> datetime:
    """This moment, for connectors that have to know it; tests give them another clock."""
    return datetime.now(UTC)


# How a server is told which body is held already (RFC 9110, section 13.1).
_IF_NONE_MATCH, _IF_MODIFIED_SINCE = "If-None-Match", "If-Modified-Since"


@dataclass(frozen=True)
class Request:
    """One GET, or another method that only reads: the address without secrets, what it is for, what made it.

    `role` tells a connector that reads several kinds of answers which one this is; `variables` travel into
    the manifest, so that a landed payload can be read without the catalogue of its day. `partial` says that
    206, a part whose range is in the headers, is an answer too; to PROPFIND, 207 is the answer. By POST, the query of
    the address is sent as a form in the body, so that the address tells one request from another, as it does for GET.
    """

    url: str
    role: str = "data"
    variables: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    partial: bool = False
    method: Literal["GET", "POST", "PROPFIND"] = "GET"
    content: bytes = b""

    @property
    def is_conditional(self) -> bool:
        """Whether 304 is an answer: the body that it speaks of is held."""
        return _IF_NONE_MATCH in self.headers or _IF_MODIFIED_SINCE in self.headers

    def with_validators(self, etag: str | None, last_modified: str | None) -> Request:
        """The same asked for unless it is still what a server has named by these."""
        known = {_IF_NONE_MATCH: etag, _IF_MODIFIED_SINCE: last_modified}
        return replace(
            self, headers={**self.headers, **{name: value for name, value in known.items() if value}}
        )


@dataclass(frozen=True)
class Payload:
    """What a request brought, once that has landed: the same to who follows it to further pages and who reads it.

    `content` is the landed body, in memory or in a file, or what brings it when somebody asks: that of an answer which
    says that it is unchanged is seldom looked at. `headers` are those that page through a result, by their names in
    lower case.
    """

    request: Request
    content: Body | Callable[[], bytes]
    received_at: datetime
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    _parsed: dict[Callable[[bytes], Any], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __getstate__(self) -> dict[str, Any]:
        """To another process goes the body, and nothing that was made of it."""
        return {**vars(replace(self, content=self.landed))}

    @cached_property
    def body(self) -> bytes:
        """The body as it landed, all of it in memory; empty where nothing was found."""
        return self.content() if callable(self.content) else read_whole(self.content)

    @property
    def landed(self) -> Body:
        """The same, in a file where it is large: for who can do with its beginning, or with portions."""
        return self.body if callable(self.content) else self.content

    @property
    def url(self) -> str:
        """The address that was asked for, without secrets."""
        return self.request.url

    @property
    def role(self) -> str:
        """What it was asked for."""
        return self.request.role

    @property
    def variables(self) -> Mapping[str, str]:
        """The values that made the request."""
        return self.request.variables

    @property
    def found(self) -> bool:
        """False for a period that the source does not have (404 with `not_found: skip`)."""
        return self.status != 404

    def parse(self, decode: Callable[[bytes], T]) -> T:
        """What a function makes of the body; it is called once, however many need that.

        Raises:
            ReadError: as the function does.
        """
        if decode not in self._parsed:
            self._parsed[decode] = decode(self.body)
        return cast("T", self._parsed[decode])

    @property
    def members(self) -> Mapping[str, msgspec.Raw]:
        """The members of the object that the body is, as `read_members` has them."""
        return self.parse(read_members)


class FetchSession(Protocol):
    """Fetching for one source, politely and in parallel; every answer is landed before it is handed over."""

    def crawl(
        self, requests: Iterable[Request], follow: Callable[[Payload], Iterable[Request]] | None = None
    ) -> Iterator[Payload]:
        """What came, as it arrives; `follow` names the requests that it leads to, such as its next page.

        Raises:
            FetchError: after all other requests were served, so that what is good has landed.
        """
        ...

    def deliver(self, request: Request, body: bytes, content_type: str = "") -> None:
        """Land what came by another way than HTTP, such as a database's rows or a queue's messages.

        The address of the request must hold no secret. When this returns, the body and where it came from are
        kept for good, so that its sender may forget it.
        """
        ...

    def land_dropped_files(self) -> None:
        """Land the files that wait in the source's folder: put aside are those of a drop folder, and known from then
        on those on a server, which stay there.

        Raises:
            FetchError: after all others were taken, that a file may not be, or could not be read.
        """
        ...

    def read_delivered(self, url: str) -> Mapping[str, str]:
        """The variables of what was last delivered to the address, such as where to go on; empty for none."""
        ...

    def note(self, code: str, text: str) -> None:
        """Say something that is no error and that people should know, such as an end that could not be proven.

        It stands until the source is fetched again without it; `code` and `text` are those of `records.Note`.
        """
        ...

    @property
    def reachable(self) -> Reachable:
        """What may be connected to, for what is not HTTP."""
        ...

    @property
    def database_files(self) -> Path | None:
        """The folder of the tenant's files of databases; None where there is none."""
        ...

    def read_secret(self, name: str) -> str:
        """The value that the environment holds under the name, for what is not HTTP.

        Raises:
            SecretMissing: it is not set.
        """
        ...


class Connector(Protocol):
    """One protocol."""

    @property
    def name(self) -> str:
        """Key in the registry and in tenants' files."""
        ...

    @property
    def source_model(self) -> type[Source]:
        """What a tenant may configure."""
        ...

    def fetch(self, source: Any, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """Ask the source for the window, whose days are those of the zone.

        Raises:
            FetchError: something was not answered; what was answered has landed.
        """
        ...

    def read(self, source: Any, payload: Payload) -> Iterator[RawTable | Roster]:
        """The tables in a landed payload; after them, if it holds all things of a record type, their roster.

        Raises:
            ReadError: the payload as a whole is not what the source declares.
        """
        ...
