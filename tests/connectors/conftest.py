"""Payloads without a server, and a session that answers from a dictionary."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.catalog import Box, Source
from civitas_assets.connectors.base import Payload, Request
from civitas_assets.connectors.reachable import LOCAL
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import FetchError
from civitas_assets.records import RECORD_TYPES, Note, RawTable
from civitas_assets.records.origin import Origin, gather_rows
from civitas_assets.records.typing import TenantPlace, bring_into_contract

NOW = datetime(2026, 8, 1, 2, tzinfo=UTC)
EVERYWHERE: Box = (-180.0, -90.0, 180.0, 90.0)
SECRET = "gegenüber-4711"  # noqa: S105
# Observations that a table holds; their times have an offset.
OBSERVED: dict[str, Any] = {
    "record_type": "observation",
    "fields": {"datastream_id": "meter", "value": "value"},
    "time": {"column": "read_at", "zone": "offset"},
    "constants": {"observed_property": "energy.consumption", "unit": "kWh"},
}
BASICS = {"title": "Test", "licence": "CC0-1.0", "url": "https://data.example/v1"}


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


class BareSession:
    """A session of which a test wants nothing: nothing is asked, and there is nothing to be said."""

    reachable = LOCAL
    database_files: Path | None = None

    def crawl(
        self, requests: Iterable[Request], follow: Callable[[Payload], Iterable[Request]] | None = None
    ) -> Iterator[Payload]:
        raise FetchError("nobody answers")

    def deliver(self, request: Request, body: bytes, content_type: str = "") -> None:
        raise FetchError("nobody answers")

    def land_dropped_files(self) -> None:
        raise FetchError("nobody answers")

    def read_delivered(self, url: str) -> Mapping[str, str]:
        return {}

    def note(self, code: str, text: str) -> None:
        raise AssertionError(text)

    def read_secret(self, name: str) -> str:
        return f"value of {name}"


class FakeSession(BareSession):
    """Answers by address from memory, in the order of the requests; what is not there is not found.

    An answer may come with headers; one that names its range is a part.
    """

    def __init__(self, answers: Mapping[str, bytes] | Callable[[Request], Any]) -> None:
        self._answers = answers if callable(answers) else lambda request: answers.get(request.url)
        self.requests: list[Request] = []
        self.deliveries: list[tuple[Request, bytes]] = []
        self.notes: list[Note] = []

    def crawl(
        self, requests: Iterable[Request], follow: Callable[[Payload], Iterable[Request]] | None = None
    ) -> Iterator[Payload]:
        waiting = deque(requests)
        while waiting:
            request = waiting.popleft()
            self.requests.append(request)
            assert len(self.requests) < 1000, "the connector asks without end"
            given = self._answers(request)
            body, headers = given if isinstance(given, tuple) else (given, {})
            status = 404 if body is None else 206 if "content-range" in headers else 200
            answer = Payload(request, body or b"", NOW, headers=headers, status=status)
            if follow is not None and answer.found:
                waiting.extend(follow(answer))
            yield answer

    def deliver(self, request: Request, body: bytes, content_type: str = "") -> None:
        self.deliveries.append((request, body))

    def read_delivered(self, url: str) -> Mapping[str, str]:
        return next((r.variables for r, _ in reversed(self.deliveries) if r.url == url), {})

    def note(self, code: str, text: str) -> None:
        self.notes.append(Note(code, text))


class Landed(BareSession):
    """A session that keeps what is delivered, in order, as landing does."""

    def __init__(self) -> None:
        self.payloads: list[Payload] = []

    def deliver(self, request: Request, body: bytes, content_type: str = "") -> None:
        self.payloads.append(Payload(request, body, datetime(2026, 8, 2, tzinfo=UTC), content_type))

    def read_delivered(self, url: str) -> Mapping[str, str]:
        return next((p.variables for p in reversed(self.payloads) if p.url == url), {})

    database_files = Path("/")

    def read_secret(self, name: str) -> str:
        assert name == "DB_PASSWORD"
        return SECRET

    def lines(self) -> list[str]:
        """The lines of all bodies, without their headers."""
        return [line for p in self.payloads if p.role == "rows" for line in p.body.decode().split("\n")[1:-1]]

    def rows(self) -> list[dict[str, str]]:
        """The rows of all bodies, as text by column."""
        bodies = (p.body.decode() for p in self.payloads if p.role == "rows")
        return [row for body in bodies for row in csv.DictReader(io.StringIO(body))]


# What the fixtures `source`, `session`, `read` and `records` do.
MakeSource = Callable[..., Any]  # of the model that the connector has
MakeSession = Callable[..., FakeSession]
ReadBody = Callable[..., list[RawTable]]
ReadRecords = Callable[..., dict[str, list[dict[str, Any]]]]


@pytest.fixture
def landed() -> Landed:
    return Landed()


@pytest.fixture
def session() -> MakeSession:
    """Makes sessions with these answers."""
    return FakeSession


@pytest.fixture
def dead_session() -> BareSession:
    """A session of a server that is down."""
    return BareSession()


@pytest.fixture
def source() -> MakeSource:
    """Makes a source of a connector."""

    def make(connector: str, **settings: Any) -> Source:
        model = CONNECTORS[connector].source_model
        return model.model_validate({**BASICS, "connector": connector, **settings})

    return make


@pytest.fixture
def read() -> ReadBody:
    """Reads a body as a source declares it."""

    def tables(source: Source, body: bytes, role: str = "data", **variables: str) -> list[RawTable]:
        payload = Payload(Request(source.url, role, variables), body, datetime(2026, 8, 1, tzinfo=UTC))
        return [*CONNECTORS[source.connector].read(source, payload)]

    return tables


@pytest.fixture
def records(read: ReadBody) -> ReadRecords:
    """What a body brings, in its contract: rows by record type, without what is empty; a rejected row is a failure."""

    def accepted(
        source: Source, body: bytes, role: str = "data", box: Box = EVERYWHERE, **variables: str
    ) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for raw in read(source, body, role, **variables):
            table = gather_rows([(raw, Origin(variables, "p", NOW))], source)
            place = TenantPlace("Europe/Berlin", box)
            typed = bring_into_contract(RECORD_TYPES[raw.record_type], table, source, place)
            assert typed.rejected.is_empty(), typed.rejected.to_dicts()
            frame = typed.accepted[raw.record_type].drop("payload", "received_at")
            rows = [{k: v for k, v in row.items() if v is not None} for row in frame.to_dicts()]
            found.setdefault(raw.record_type, []).extend(rows)
        return found

    return accepted
