"""iCalendar: dates of collections, meetings and events, each occurrence of what recurs by itself.

How occurrences are worked out is in `ical_events.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.window import Duration
from civitas_assets.connectors.base import FetchSession, Payload
from civitas_assets.connectors.fetching import fetch_addresses
from civitas_assets.connectors.ical.ical_events import Span, list_occurrences
from civitas_assets.connectors.ical.ical_lines import read_calendar, remove_people
from civitas_assets.connectors.mapping.service_rows import build_raw_table
from civitas_assets.records import BrokenRow, RawTable

_COLUMNS = (
    "event_id", "event_type_native", "title", "description", "start_at", "end_at", "status", "status_native",
    "place_name", "website", "changed_at", "lon", "lat",
)  # fmt: skip
_BEFORE = timedelta(days=366)


class IcalSource(Source):
    """A calendar; `url` is its file."""

    connector: Literal["ical"]
    days_ahead: Duration = Field(
        "730 days",
        validate_default=True,
        description="How far ahead of its receipt a calendar is read; what recurs for ever goes on until then.",
    )

    lists_whole: ClassVar[frozenset[str]] = frozenset({"event"})

    def record_types(self) -> frozenset[str]:
        """Events."""
        return frozenset({"event"})

    def redact_answer(self, role: str, body: bytes) -> bytes:
        """The calendar without the people who organise and attend."""
        return remove_people(body)


class IcalConnector:
    """Fetches and reads calendars."""

    name = "ical"
    source_model: type[Source] = IcalSource

    def fetch(self, source: IcalSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """The calendar of each address."""
        fetch_addresses(source, window, session)

    def read(self, source: IcalSource, payload: Payload) -> Iterator[RawTable]:
        """The occurrences from a year before the receipt on."""
        today = payload.received_at.astimezone(source.zone).date()
        span = Span(today - _BEFORE, today + source.days_ahead, source.zone)
        broken = list[BrokenRow]()
        rows = list_occurrences(read_calendar(payload.body), span, broken)
        table = build_raw_table("event", rows, _COLUMNS)
        yield replace(table, broken=tuple(broken))
