"""The temporal interface of NGSI-LD: what an entity was over time, part by part where a broker limits its answers.

What the attributes mean is in the modules of current entities; here they are only put in order of time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from types import NoneType
from typing import Any, Self
from urllib.parse import quote

import polars as pl

from civitas_assets.connectors.base import Payload
from civitas_assets.connectors.ngsi.ngsi_attributes import Instance, read_all_usual, read_instances
from civitas_assets.connectors.ngsi.ngsi_entities import Entity, decode_entities
from civitas_assets.connectors.ngsi.ngsi_observed import Measurand, list_measurands, make_data_set_id
from civitas_assets.connectors.ngsi.ngsi_page import Columns
from civitas_assets.connectors.ngsi.ngsi_reader import Reader
from civitas_assets.connectors.ngsi.ngsi_times import parse_instant, read_time, read_usual_times
from civitas_assets.errors import ReadError
from civitas_assets.records.raw import INTERVAL, RESULT

_INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?"
_RANGE = re.compile(rf"date-time ({_INSTANT})-({_INSTANT})/(?:\d+|\*)")
_COLUMNS = ("datastream_id", INTERVAL, RESULT, "observed_property", "unit")
_NUMBERS: frozenset[type] = frozenset({int, float})
_CODES: frozenset[type] = frozenset({str, NoneType})
_OVERLAP = timedelta(milliseconds=1)
_ROUND = 10  # the limits of brokers are round numbers


@dataclass(frozen=True)
class TemporalSpan:
    """A half-open span of instants, in UTC."""

    start: datetime
    end: datetime

    @classmethod
    def from_variables(cls, variables: Mapping[str, str]) -> Self:
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


def find_remaining_span(answer: Payload) -> TemporalSpan | None:
    """What of the span is still to be asked for; None if the answer is whole.

    A limit holds for each attribute, or each of its data sets, and some brokers name the last time of all as the end of
    the range, though a series with many values was cut off before. The range of one series says nothing of another, so
    that the one that came least far decides: of those that came further than what was asked for, since a series
    with a single value there cannot be told from one that has no more.

    Some brokers cut without saying so: as many values as a limit may be are proven by asking for what comes behind.

    Raises:
        ReadError: the answer does not say what it is a part of, or comes no further than the one before it.
    """
    given = answer.headers.get("content-range", "")
    asked = TemporalSpan.from_variables(answer.request.variables)
    if not given and answer.status != 206:
        return _behind(asked, _series(decode_entities(answer.body)))
    match = _RANGE.fullmatch(given.strip())
    if match is None:
        raise ReadError(f"is a part, and names no range of times that it covers: Content-Range {given!r}")
    first, last = parse_instant(match[1]), parse_instant(match[2])
    if first is None or last is None:
        raise ReadError(f"is a part of times that do not exist: Content-Range {given!r}")
    series = [times for sets in _series(decode_entities(answer.body)).values() for times in sets]
    left = _forwards(asked, series, last) if last >= first else _backwards(asked, series, last)
    if left == asked:
        raise ReadError(
            f"is a part that comes no further than {given!r}: the broker gives too few values at once"
        )
    return left if left.start < left.end else None


def _forwards(asked: TemporalSpan, series: Sequence[Sequence[datetime]], last: datetime) -> TemporalSpan:
    ends = [last, *map(max, series)]
    return TemporalSpan(min((end for end in ends if end > asked.start), default=asked.start), asked.end)


def _backwards(asked: TemporalSpan, series: Sequence[Sequence[datetime]], last: datetime) -> TemporalSpan:
    """What is left where the latest values come first, as with lastN."""
    ends = [end + _OVERLAP for end in (last, *map(min, series))]
    return TemporalSpan(asked.start, max((end for end in ends if end < asked.end), default=asked.end))


def _behind(asked: TemporalSpan, series: Mapping[str, Sequence[Sequence[datetime]]]) -> TemporalSpan | None:
    """What may be behind an answer that does not call itself a part; None where it has no number that is a limit."""
    full = [
        times
        for sets in series.values()
        if any(len(times) % _ROUND == 0 for times in sets) or sum(map(len, sets)) % _ROUND == 0
        for times in sets
    ]
    if not full:
        return None
    backwards = any(times[0] > times[-1] for times in full)
    left = _backwards(asked, full, asked.start) if backwards else _forwards(asked, full, asked.end)
    return left if asked != left and left.start < left.end else None


def build_observations(entities: Iterable[Reader]) -> pl.DataFrame:
    """One row per datastream and time at which it was observed; each says itself what it is.

    Of several the last counts, since a correction is another instance of the time.
    """
    blocks = [pl.DataFrame(schema=dict.fromkeys(_COLUMNS, pl.String))]
    for entity in entities:
        for stream, attribute in list_measurands(entity):
            content = entity.content[attribute.source]
            columns = _usual_columns(attribute, content) or _columns(
                stream, attribute, order_instances(content)
            )
            rows = {"datastream_id": stream, "observed_property": attribute.observed_property, **columns}
            blocks.append(pl.DataFrame(rows, schema=dict.fromkeys(_COLUMNS, pl.String)))
    return pl.concat(blocks).unique(("datastream_id", INTERVAL), keep="last", maintain_order=True)


def _columns(stream: str, attribute: Measurand, parts: Sequence[Instance]) -> Columns:
    """What was measured, instance by instance."""
    results = [(part, made) for part in parts if (made := attribute.result(part)) is not None]
    return {
        "datastream_id": [make_data_set_id(stream, part) for part, _ in results],
        INTERVAL: [read_time(part.find("observedAt")) for part, _ in results],
        RESULT: [made for _, made in results],
        "unit": [part.unit or attribute.unit for part, _ in results],
    }


def _usual_columns(attribute: Measurand, content: Any) -> Columns | None:
    """What `_columns` and `order_instances` make of instances that all are numbers written as usual; None
    for any others.
    """
    values = read_all_usual(content) if isinstance(content, list) else None
    times = None if values is None else read_usual_times(content)
    if values is None or times is None or any("modifiedAt" in part for part in content):
        return None
    codes = [part.get("unitCode") for part in content]
    if (
        not {*map(type, values)} <= _NUMBERS
        or not {*map(type, codes)} <= _CODES
        or not all(map(isfinite, values))
    ):
        return None
    units = {
        code: Instance(None, None, part).unit for code, part in dict(zip(codes, content, strict=True)).items()
    }
    step = -1 if times[0] > times[-1] else 1  # the latest came first
    return {
        INTERVAL: times[::step],
        RESULT: [*map(str, values)][::step],
        "unit": [units[code] or attribute.unit for code in codes][::step],
    }


def order_instances(content: Any) -> list[Instance]:
    """The instances of an attribute that have a time, the latest modified of those with the same time behind."""
    found = [part for part in read_instances(content) if isinstance(part.members.get("observedAt"), str)]
    if found and found[0].members["observedAt"] > found[-1].members["observedAt"]:
        found.reverse()  # the latest came first, also among those of the same time
    if any("modifiedAt" in part.members for part in found):
        found.sort(key=lambda part: str(part.members.get("modifiedAt", "")))
    return found


def list_snapshots(entity: Reader, names: Sequence[str]) -> Iterator[Reader]:
    """The entity as it was at each time at which one of the attributes was observed, with what was observed then."""
    found: dict[str, dict[str, dict[str | None, Any]]] = {}
    for name in names:
        for instance in order_instances(entity.content.get(name)):
            moment = read_time(instance.find("observedAt"))
            if moment and instance.value is not None:
                found.setdefault(moment, {}).setdefault(name, {})[instance.data_set] = instance.members
    for moment in sorted(found):
        at_once = {name: [*sets.values()] for name, sets in found[moment].items()}
        yield entity.at({name: sets[0] if len(sets) == 1 else sets for name, sets in at_once.items()})


def _series(entities: Iterable[Entity]) -> dict[str, list[list[datetime]]]:
    """The times of each data set of each attribute, in the order of the answer."""
    found: dict[str, dict[tuple[str, str | None], list[datetime]]] = {}
    for entity in entities:
        for name, content in entity.items():
            for part in read_instances(content) if isinstance(content, list | dict) else ():
                moment = parse_instant(part.members.get("observedAt"))
                if moment is not None:
                    sets = found.setdefault(name, {})
                    sets.setdefault((entity["id"], part.data_set), []).append(moment)
    return {name: [*sets.values()] for name, sets in found.items()}
