"""The temporal interface of NGSI-LD: what an entity was over time, part by part where a broker limits its answers.

What the attributes mean is in the modules of current entities; here they are only put in order of time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import quote

import polars as pl

from civitas_assets.connectors import ngsi_entities as ngsi
from civitas_assets.connectors.base import Answer
from civitas_assets.connectors.ngsi_entities import Entity
from civitas_assets.connectors.ngsi_observed import attributes
from civitas_assets.errors import ReadError
from civitas_assets.records.raw import INTERVAL, RESULT

_INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?"
_RANGE = re.compile(rf"date-time ({_INSTANT})-({_INSTANT})/(?:\d+|\*)")
_COLUMNS = ("datastream_id", INTERVAL, RESULT, "observed_property", "unit")
_OVERLAP = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Span:
    """A half-open span of instants, in UTC."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Self:
        """The span that a request asked for."""
        return cls(datetime.fromisoformat(variables["from"]), datetime.fromisoformat(variables["to"]))

    def variables(self) -> dict[str, str]:
        """The span as a request carries it."""
        return {"from": self.start.isoformat(), "to": self.end.isoformat()}

    def query(self, kind: str, key: str) -> str:
        """Parameters of the request for one entity.

        `between` leaves out its first instant at some brokers, and takes it in at others: each span begins a little
        early.
        """
        first, last = (
            f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
            for moment in (self.start - _OVERLAP, self.end)
        )
        return (
            f"type={quote(kind, safe='')}&id={quote(key, safe='')}&timerel=between"
            f"&timeAt={first}&endTimeAt={last}&timeproperty=observedAt"
        )


def rest(answer: Answer) -> Span | None:
    """What of the span is still to be asked for; None if the answer is whole.

    A limit holds for each attribute, and some brokers name the last time of all as the end of the range, though an
    attribute with many values was cut off before. The fullest attributes therefore have a say in how far it reaches.

    Raises:
        ReadError: the answer does not say what it is a part of, or comes no further than the one before it.
    """
    given = answer.headers.get("content-range", "")
    if not given and answer.status != 206:
        return None
    match = _RANGE.fullmatch(given.strip())
    if match is None:
        raise ReadError(f"is a part, and names no range of times that it covers: Content-Range {given!r}")
    asked = Span.of(answer.request.variables)
    first, last = _parsed(match[1]), _parsed(match[2])
    if first is None or last is None:
        raise ReadError(f"is a part of times that do not exist: Content-Range {given!r}")
    fullest = _fullest(ngsi.decode(answer.content()))
    if last >= first:
        left = Span(min([last, *map(max, fullest)]), asked.end)
        stuck = left.start <= asked.start
    else:  # the latest values come first, as with lastN
        left = Span(asked.start, max([last, *map(min, fullest)]) + _OVERLAP)
        stuck = left.end >= asked.end
    if stuck:
        raise ReadError(
            f"is a part that comes no further than {given!r}: the broker gives too few values at once"
        )
    return left if left.start < left.end else None


def observations(entities: Iterable[Entity], skip: Sequence[str]) -> pl.DataFrame:
    """One row per datastream and time at which it was observed; each says itself what it is.

    Of several the last counts, since a correction is another instance of the time.
    """
    blocks = [pl.DataFrame(schema=dict.fromkeys(_COLUMNS, pl.String))]
    for entity in entities:
        for attribute in attributes(entity, skip):
            parts = ordered(attribute.content)
            if not parts:
                continue
            found = pl.DataFrame(
                {
                    "data_set": _texts(part.get("datasetId") for part in parts),
                    INTERVAL: _texts(part["observedAt"] for part in parts),
                    RESULT: _texts(_written(part) for part in parts),
                    "unit": _texts(part.get("unitCode") for part in parts),
                }
            )
            key = pl.lit(attribute.datastream_id)
            blocks.append(
                found.filter(pl.col(RESULT).cast(pl.Float64, strict=False).is_finite()).select(
                    datastream_id=pl.coalesce(pl.concat_str(key, pl.col("data_set"), separator="/"), key),
                    **{
                        INTERVAL: pl.col(INTERVAL).str.replace(r"(T[\d:.]+)$", "${1}Z"),
                        RESULT: pl.col(RESULT),
                    },
                    observed_property=pl.lit(attribute.observed_property),
                    unit=pl.col("unit").fill_null(pl.lit(attribute.unit, pl.String)),
                )
            )
    return pl.concat(blocks).unique(("datastream_id", INTERVAL), keep="last", maintain_order=True)


def ordered(content: Any) -> list[Mapping[str, Any]]:
    """The instances of an attribute that have a time, the latest modified of those with the same time behind."""
    stamped = (part for part in ngsi.instances(content) if isinstance(part, dict) and part.get("observedAt"))
    found: list[Mapping[str, Any]] = [*stamped]
    if found and str(found[0]["observedAt"]) > str(found[-1]["observedAt"]):
        found.reverse()  # the latest came first, also among those of the same time
    if any("modifiedAt" in part for part in found):
        found.sort(key=lambda part: str(part.get("modifiedAt", "")))
    return found


def moments(entity: Entity, names: Sequence[str]) -> Iterator[Entity]:
    """The entity as it was at each time at which one of the attributes was observed, with what was observed then."""
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        for instance in ordered(entity.get(name)):
            moment = ngsi.time(instance["observedAt"])
            if moment and ngsi.value_of(instance) is not None:
                found.setdefault(moment, {})[name] = instance
    for moment in sorted(found):
        yield {"id": entity["id"], "type": entity["type"], **found[moment]}


def _fullest(entities: Iterable[Entity]) -> list[list[datetime]]:
    """The times of those attributes that have the most of them."""
    series = []
    for entity in entities:
        for content in entity.values():
            stamps = (instance["observedAt"] for instance in ordered(content))
            times = [moment for stamp in stamps if (moment := _parsed(stamp)) is not None]
            if times:
                series.append(times)
    most = max(map(len, series), default=0)
    return [times for times in series if len(times) == most]


def _written(instance: Mapping[str, Any]) -> str | None:
    """The value as text, where it is a number or a text."""
    value = instance.get("value")
    if isinstance(value, dict):
        value = ngsi.value_of(value)
    return str(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None


def _texts(values: Iterable[Any]) -> pl.Series:
    return pl.Series([value if isinstance(value, str) else None for value in values], dtype=pl.String)


def _parsed(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC) if moment else None
