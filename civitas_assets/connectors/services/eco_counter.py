"""Eco-Counter: counts of cyclists and pedestrians from the API that its customers have a token for, version 1.

Counts are those of channels, which are kinds of traffic and directions; a site's own total would count them twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
import polars as pl
from pydantic import Field, model_validator

from civitas_assets.catalog import SecretRef, Source, Window
from civitas_assets.catalog.access import add_token_header, require_header
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.fetching import fetch_all
from civitas_assets.connectors.mapping.paths import extract_columns, extract_records
from civitas_assets.connectors.mapping.record_sample import require_members
from civitas_assets.connectors.mapping.service_rows import build_raw_table, decode_each, parse_number
from civitas_assets.connectors.services.service import Root, ServiceSource, Title
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, Note, RawTable
from civitas_assets.records.raw import RESULT, ROW, TIME

_SLICE_DAYS = 28
_INTERVALS = {"15m": "15 min", "hour": "1 hour"}
_SECONDS = {"15m": 900, "hour": 3600}
# The service's numbers of kinds of traffic; others, such as horses and boats, keep their number and are counted
# in `rejected_record`, since no shared property means them.
_UNDEFINED = 7
_KINDS = {
    1: "traffic.pedestrian_count",
    2: "traffic.bicycle_count",
    4: "traffic.count",  # cars
    5: "traffic.count",  # buses
    6: "traffic.count",  # minibuses
    8: "traffic.count",  # motorcycles
    14: "traffic.count",  # lorries
}
_BICYCLES = 2
_WALL = r"^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?)"
_OFFSET, _NO_OFFSET = r"[+-]\d\d:?\d\d$", r"[+-]00:?00$"


class EcoCounterSource(ServiceSource):
    """Sites by their id, or all of the account in the tenant's box."""

    connector: Literal["eco_counter"]
    takes_days: ClassVar[bool] = True
    title: Title = "Zählstellen für Rad- und Fußverkehr"
    url: Root = "https://apieco.eco-counter-tools.com/api/1.0"
    token: SecretRef | None = Field(
        None, description="The account's access token, as a secret; it is sent as a bearer token."
    )
    step: Literal["15m", "hour"] = Field("15m", description="Length of the intervals that are counted.")

    @model_validator(mode="before")
    @classmethod
    def _with_token_and_time(cls, said: Any) -> Any:
        """The header that carries the token, and the rule of time that goes with the step."""
        said = add_token_header(said, "Authorization", prefix="Bearer ")
        if not isinstance(said, Mapping):
            return said
        settings, step = {**said}, said.get("step", "15m")
        if settings.get("time") is None and isinstance(step, str) and step in _INTERVALS:
            settings["time"] = {
                "column": "date",
                "zone": "local_wall",
                "fold": "summed",
                "stamp": "interval_start",
                "interval": _INTERVALS[step],
            }
        return settings

    @model_validator(mode="after")
    def _may_ask(self) -> EcoCounterSource:
        require_header(self.headers, "Authorization", "token")
        return self


class _Channel(msgspec.Struct, rename="camel"):
    id: int | str
    name: str | None = None
    user_type: int | None = None


class _Site(_Channel, rename="camel"):
    latitude: float | str | None = None
    longitude: float | str | None = None
    domain: str | None = None
    channels: list[_Channel] | None = None

    def counted(self) -> list[_Channel]:
        """What is counted once: the channels, or the site where it has none."""
        return [channel for channel in self.channels or () if str(channel.id) != str(self.id)] or [self]


class EcoCounterConnector:
    """Fetches and reads the API of Eco-Counter."""

    name = "eco_counter"
    source_model: type[Source] = EcoCounterSource

    def fetch(self, source: EcoCounterSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """The sites of the account, and the slices of the window of each of their channels."""
        root, found = source.url.rstrip("/"), set[str]()

        def counts(answer: Payload) -> Iterator[Request]:
            if answer.request.role != "sites":
                return
            for site in _wanted(source, answer.body)[0]:
                found.add(str(site.id))
                for channel in site.counted():
                    for part in window.split(_SLICE_DAYS):
                        asked = {
                            "begin": f"{part.first}T00:00:00",
                            "end": f"{part.last + timedelta(days=1)}T00:00:00",
                            "step": source.step,
                            "complete": "false",
                        }
                        yield Request(
                            f"{root}/data/site/{channel.id}?{urlencode(asked, safe=':')}",
                            role="counts",
                            variables={"datastream_id": str(channel.id)},
                        )

        fetch_all(session, [Request(f"{root}/site", role="sites")], counts)
        source.expect(found)

    def read(self, source: EcoCounterSource, payload: Payload) -> Iterator[RawTable]:
        """Sites with a datastream for every channel, or the counts of one."""
        if payload.role != "sites":
            yield _counts(payload)
            return
        sites, broken = _wanted(source, payload.body)
        stations = build_raw_table(
            "station",
            (
                {
                    "station_id": site.id,
                    "name": site.name,
                    "lon": site.longitude,
                    "lat": site.latitude,
                    "operator": site.domain,
                }
                for site in sites
            ),
            ("station_id", "name", "lon", "lat", "operator"),
        )
        yield replace(stations, broken=broken)
        unsaid = [
            c for site in sites for c in site.counted() if c.user_type is None and site.user_type is None
        ]
        channels = build_raw_table(
            "datastream",
            (
                {
                    "datastream_id": channel.id,
                    "station_id": site.id,
                    "name": channel.name,
                    "observed_property": _property(channel, site),
                    "unit": "1",
                    "interval_s": _SECONDS[source.step],
                }
                for site in sites
                for channel in site.counted()
            ),
            ("datastream_id", "station_id", "name", "observed_property", "unit", "interval_s"),
        )
        text = f"{len(unsaid):,} channel(s) have no userType, nor has their site: they are taken for bicycles"
        notes = (Note("kind_of_traffic_unsaid", f"{text} ({unsaid[0].id})"),) if unsaid else ()
        yield replace(channels, notes=notes)


def _wanted(source: EcoCounterSource, body: bytes) -> tuple[list[_Site], tuple[BrokenRow, ...]]:
    sites, broken = decode_each(body, _Site, "Eco-Counter")
    wanted: list[_Site] = [
        site
        for site in sites
        if source.wants(str(site.id), parse_number(site.longitude), parse_number(site.latitude))
    ]
    return wanted, broken


def _property(channel: _Channel, site: _Site) -> str:
    """What is counted: the channel says so, or else its site; bicycles where neither does, which is told."""
    said = [kind for kind in (channel.user_type, site.user_type) if kind is not None]
    kind = next((kind for kind in said if kind != _UNDEFINED), said[0] if said else _BICYCLES)
    return _KINDS.get(kind, f"Eco-Counter userType {kind}")


def _counts(payload: Payload) -> RawTable:
    """Counts by the wall clock.

    `date` is written as if it were UTC and is the wall clock nevertheless; `isoDate` has the clock's true offset.
    The night in autumn has one count for both passes of an hour; where an answer has two, they are put together,
    so that the hour is one row either way.
    """
    fields = {"date": "date", "iso": "isoDate", RESULT: "counts", "quality_native": "status"}
    records = extract_records(payload.body, "@")
    found = extract_columns(records, fields).with_columns(pl.col("date", "iso").cast(pl.String))
    if found[RESULT].null_count() == found.height:
        require_members(records, ("counts",), "Eco-Counter")
    if found.height and not found.select(pl.any_horizontal(pl.col("date", "iso").is_not_null()).any()).item():
        raise ReadError("is not what Eco-Counter answers: it has neither date nor isoDate")
    # An offset of zero says nothing, since it also stands where the time is local.
    tells = pl.col("iso").str.contains(_OFFSET) & ~pl.col("iso").str.contains(_NO_OFFSET)
    written = pl.when(tells).then("iso").otherwise(pl.coalesce("date", "iso"))
    # What is no time stays as it is written, for the contract to reject.
    found = found.with_columns(pl.coalesce(written.str.extract(_WALL), written).alias(TIME))
    found = found.with_row_index(ROW, offset=1).cast({ROW: pl.Int64})
    notes: tuple[Note, ...] = ()
    passes = found.unique([TIME, "iso", RESULT], maintain_order=True)
    # What differs only in its count is told twice, and no second pass: the later one replaces it, which is noted.
    twice = passes.filter(pl.col("iso").n_unique().over(TIME) > 1).unique(
        [TIME, "iso"], keep="last", maintain_order=True
    )
    if twice.height:
        count = pl.col(RESULT).cast(pl.Float64, strict=False)
        # A sum of which a part is missing is none.
        both = twice.group_by(TIME, maintain_order=True).agg(
            pl.col(ROW, "quality_native").first(),
            pl.when(count.null_count() == 0).then(count.sum()).alias(RESULT),
            (count.null_count() % pl.len() > 0).alias("is_half"),
        )
        if halves := both["is_half"].sum():
            text = f"{halves:,} interval(s) of the repeated hour have a count of one of its passes only: they have none"
            notes = (Note("half_of_repeated_hour", text),)
        once = passes.filter(~pl.col(TIME).is_in(both[TIME].implode()))
        found = pl.concat(
            [once.select(both.columns[:4]), both.select(both.columns[:4])], how="vertical_relaxed"
        ).sort(ROW)
    datastream = pl.lit(payload.variables["datastream_id"]).alias("datastream_id")
    rows = found.select(ROW, datastream, TIME, RESULT, "quality_native")
    return RawTable("observation", rows, notes=notes)
