"""From uplinks to records: a table per kind of device says which values are observations, of what and in which unit.

Devices become stations, values datastreams and observations; what no table names is reported, never guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import polars as pl

from civitas_assets.connectors.lorawan.lorawan_messages import Uplink
from civitas_assets.connectors.lorawan.lorawan_profiles import MESSAGES, Profiles, Quantity
from civitas_assets.connectors.lorawan.lorawan_readings import (
    NORMALIZED,
    list_leaves,
    list_unread,
    read_readings,
)
from civitas_assets.connectors.mapping.missing import MISSING_FIELD
from civitas_assets.connectors.mapping.paths import extract_columns, to_series
from civitas_assets.errors import ReadError
from civitas_assets.records import RECORD_TYPES, BrokenRow, Note, RawTable
from civitas_assets.records.raw import INTERVAL, ROW

ANY = "*"
_SHOWN = 80  # characters of a warning
# In the messages of SenseCAP's codecs: lists, nested or not, of objects with an id, a value and a type.
_ID, _VALUE = "measurementId", "measurementValue"
_OBSERVED = {"datastream_id": pl.String, INTERVAL: pl.String, "value": pl.Float64, "value_text": pl.String}
_STATION = [column.name for column in RECORD_TYPES["station"].columns]
_STREAM = ("datastream_id", "station_id", "name", "observed_property", "unit", "sensor")


@dataclass
class _Kind:
    """The uplinks of one profile, as columns; `rows` are their numbers in the payload."""

    rows: list[int] = field(default_factory=list)
    uplinks: list[Uplink] = field(default_factory=list)

    def picked(self, positions: Sequence[int]) -> _Kind:
        return _Kind([self.rows[i] for i in positions], [self.uplinks[i] for i in positions])


def build_uplink_tables(
    found: Sequence[Uplink], profiles: Profiles, nulls: Sequence[str], tags: Mapping[str, str]
) -> Iterator[RawTable]:
    """Stations, datastreams and observations of the uplinks.

    A message that several gateways have heard, or that was delivered again, counts once; a simulated one not.
    `nulls` are texts that mean 'no value' in any quantity, `tags` name a station's fields by the operator's tags.
    """
    broken = [
        BrokenRow(row, "not_an_uplink", up.unreadable.reason, msgspec.json.encode(up.unreadable).decode())
        for row, up in enumerate(found, 1)
        if up.unreadable
    ]
    once: dict[tuple[str, tuple[int, int], str | None], tuple[int, Uplink]] = {}
    for row, up in enumerate(found, 1):
        if not up.unreadable and not up.simulated and not up.event:
            once.setdefault((up.device, up.frame, up.at), (row, up))
    kinds: dict[str, _Kind] = defaultdict(_Kind)
    unknown: set[str] = set()
    for row, up in once.values():
        name = next((kind for kind in (*up.kinds, ANY) if kind in profiles), None)
        if name is None:
            label = next(filter(None, up.kinds), up.device)
            unknown.update(f"{label}: {member}" for member in up.values)
        else:
            kinds[name].rows.append(row)
            kinds[name].uplinks.append(up)
    frames, streams, silent = [], dict[str, dict[str, Any]](), dict[str, list[Uplink]]()
    for name, kind in kinds.items():
        came = False
        for quantity, frame in _quantities(kind, profiles[name], nulls, broken):
            frames.append(_observations(frame, quantity))
            came = came or not frame.is_empty()
            for device in frame["device"].unique(maintain_order=True):
                stream = _datastream(device, quantity, None if name == ANY else name)
                streams[stream["datastream_id"]] = stream
        unknown |= {f"{name}: {member}" for member in _unmapped(kind.uplinks, profiles[name])}
        if not came and (telling := [up for up in kind.uplinks if up.values or up.normalized]):
            silent[name] = telling
    yield _table("station", _stations((up for _, up in once.values()), tags), _STATION)
    yield _table("datastream", streams.values(), _STREAM)
    observed = pl.concat(frames) if frames else pl.DataFrame(schema={ROW: pl.Int64, **_OBSERVED})
    rows = observed.sort(ROW, maintain_order=True)
    notes = (*_notes([up for _, up in once.values()]), *_silent(silent, profiles))
    yield RawTable("observation", rows, tuple(sorted(unknown)), tuple(broken), notes)


def _silent(found: Mapping[str, Sequence[Uplink]], profiles: Profiles) -> Iterator[Note]:
    """Notes on profiles of which uplinks with values have none, as after a new version of the codec.

    No error: a device may send nothing but what it is for a while, and what came before stays.
    """
    for name, uplinks in found.items():
        wanted = ", ".join(quantity.key for quantity in profiles[name])
        there = ", ".join(dict.fromkeys(member for up in uplinks for member in up.values)) or NORMALIZED
        text = f"profile {name}: none of {len(uplinks):,} uplink(s) has one of {wanted}; they have {there}"
        yield Note(MISSING_FIELD, text)


def _notes(found: Sequence[Uplink]) -> tuple[Note, ...]:
    """What codecs found odd, and frames of devices that no codec has decoded."""
    warned = [up for up in found if up.warnings]
    raw = [up for up in found if up.frame[0] and not up.values and not up.normalized]
    notes = []
    if warned:
        text = f"codecs warn of {len(warned):,} uplink(s): {warned[0].device} {str(warned[0].warnings[0])[:_SHOWN]}"
        notes.append(Note("codec_warnings", text))
    if raw:
        text = f"{len(raw):,} uplink(s) have no decoded values: give the device a codec ({raw[0].device})"
        notes.append(Note("not_decoded", text))
    return tuple(notes)


def _quantities(
    kind: _Kind, wanted: Sequence[Quantity], nulls: Sequence[str], broken: list[BrokenRow]
) -> Iterator[tuple[Quantity, pl.DataFrame]]:
    """For each quantity the values that are there: columns of row, device, time, value and value_text."""
    by_path = [q for q in wanted if q.path is not None and q.readings is None]
    if by_path:
        good, columns = _by_path(kind, [quantity.path or "" for quantity in by_path], broken)
        origin = _origin(good)
        for number, quantity in enumerate(by_path):
            yield quantity, _present(origin, columns[str(number)], quantity, nulls)
    by_id = [quantity for quantity in wanted if quantity.measurement is not None]
    if by_id:
        items: dict[str, tuple[list[int], list[Any]]] = defaultdict(lambda: ([], []))
        for position, up in enumerate(kind.uplinks):
            for key, value in {key: value for key, value, _ in _measurements(up.values)}.items():
                items[key][0].append(position)
                items[key][1].append(value)
        for quantity in by_id:
            if quantity.measurement in items:
                positions, values = items[quantity.measurement]
                origin = _origin(kind.picked(positions))
                yield quantity, _present(origin, to_series("value", values), quantity, nulls)

    for quantity in wanted:
        if quantity.readings is not None:
            origin, values = _from_readings(kind, quantity, broken)
            yield quantity, _present(origin, to_series("value", values), quantity, nulls)


def _from_readings(
    kind: _Kind, quantity: Quantity, broken: list[BrokenRow]
) -> tuple[pl.DataFrame, list[Any]]:
    """The values of a list of readings, and where they come from, at their own times."""
    positions, times, values = list[int](), list[str | None](), list[Any]()
    for position, up in enumerate(kind.uplinks):
        try:
            found = [*read_readings(up, quantity.readings or "", quantity.path or "", quantity.time)]
        except ValueError as error:
            raw = msgspec.json.encode(up).decode()
            broken.append(BrokenRow(kind.rows[position], "profile_does_not_fit", str(error), raw))
            continue
        positions += [position] * len(found)
        times += [at for at, _ in found]
        values += [value for _, value in found]
    origin = _origin(kind.picked(positions))
    return origin.with_columns(pl.Series(INTERVAL, times, pl.String)), values


def _by_path(kind: _Kind, paths: Sequence[str], broken: list[BrokenRow]) -> tuple[_Kind, pl.DataFrame]:
    """The values at the paths; an uplink that an expression cannot be applied to is set apart."""
    fields = {str(number): path for number, path in enumerate(paths)}
    try:
        return kind, extract_columns(msgspec.json.encode([up.values for up in kind.uplinks]), fields)
    except ReadError as error:
        if len(kind.uplinks) == 1:
            raw = msgspec.json.encode(kind.uplinks[0]).decode()
            broken.append(BrokenRow(kind.rows[0], "profile_does_not_fit", str(error), raw))
            return _Kind(), extract_columns(b"[]", fields)
    parts = [_by_path(kind.picked([i]), paths, broken) for i in range(len(kind.uplinks))]
    good = [part for part, _ in parts]
    return (
        _Kind([row for part in good for row in part.rows], [up for part in good for up in part.uplinks]),
        pl.concat((columns for _, columns in parts), how="vertical_relaxed"),
    )


def _origin(kind: _Kind) -> pl.DataFrame:
    return pl.DataFrame(
        {
            ROW: pl.Series(kind.rows, dtype=pl.Int64),
            "device": pl.Series([up.device for up in kind.uplinks], dtype=pl.String),
            INTERVAL: pl.Series([up.at for up in kind.uplinks], dtype=pl.String),
            "port": pl.Series([up.frame[0] for up in kind.uplinks], dtype=pl.Int64),
        }
    )


def _present(
    origin: pl.DataFrame, values: pl.Series, quantity: Quantity, nulls: Sequence[str]
) -> pl.DataFrame:
    """The rows that have a value: numbers, also those written as text, apart from other texts."""
    nothing = [*nulls, *quantity.nulls]
    text = pl.Series([None], dtype=pl.String).new_from_index(0, len(values))
    if values.dtype == pl.String:
        text = values.str.strip_chars()
        text = text.set(text.is_in(["", *nothing]), None)
        values = text
    number = values.cast(pl.Float64, strict=False)
    text = text.set(number.is_not_null(), None)
    no_numbers = pl.Series(nothing, dtype=pl.String).cast(pl.Float64, strict=False).drop_nulls()
    number = number.set(number.is_in(no_numbers.to_list()), None)
    if quantity.factor != 1:
        number = number * quantity.factor
    frame = origin.with_columns(number.alias("value"), text.alias("value_text"))
    if quantity.f_port is not None:
        frame = frame.filter(pl.col("port") == quantity.f_port)
    return frame.filter(pl.col("value").is_not_null() | pl.col("value_text").is_not_null())


def _observations(frame: pl.DataFrame, quantity: Quantity) -> pl.DataFrame:
    datastream = pl.concat_str("device", pl.lit(f":{quantity.key}")).alias("datastream_id")
    return frame.select(ROW, datastream, INTERVAL, "value", "value_text")


def _datastream(device: str, quantity: Quantity, kind: str | None) -> dict[str, Any]:
    return {
        "datastream_id": f"{device}:{quantity.key}",
        "station_id": device,
        "name": quantity.key,
        "observed_property": quantity.observed_property,
        "unit": quantity.unit,
        "sensor": kind,
    }


def _stations(found: Iterable[Uplink], tags: Mapping[str, str]) -> Iterable[Mapping[str, Any]]:
    """Each device as its last uplink describes it."""
    latest: dict[str, Uplink] = {}
    for up in found:
        known = latest.get(up.device)
        if known is None or (known.at or "") <= (up.at or ""):
            latest[up.device] = up
    for device, up in latest.items():
        station: dict[str, Any] = {"station_id": device, "name": up.device_name}
        if up.place is not None:
            station |= {"lon": up.place.longitude, "lat": up.place.latitude, "elevation_m": up.place.altitude}
        station |= {name: up.tags[tag] for name, tag in tags.items() if tag in up.tags}
        yield station


def _measurements(values: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """Id, value and type of each measurement, however its list is nested; 4097, 4097.0 and "4097" are one id."""
    waiting = [values.get(MESSAGES)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(reversed(part))
        elif isinstance(part, dict) and _ID in part:
            key = part[_ID]
            key = str(int(key)) if isinstance(key, float) and key.is_integer() else str(key)
            yield key, part.get(_VALUE), str(part.get("type", "")).strip()


def _unmapped(found: Sequence[Uplink], wanted: Sequence[Quantity]) -> set[str]:
    """Members, parts of members and measurements that no quantity reads."""
    used = {name for quantity in wanted for name in quantity.used}
    leaves: dict[str, dict[str, None]] = defaultdict(dict)
    for up in found:
        for member, value in up.values.items():
            if isinstance(value, dict | list):
                leaves[member].update(dict.fromkeys(list_leaves(member, value)))
            else:
                leaves[member][member] = None
        if up.normalized:
            leaves[NORMALIZED].update(dict.fromkeys(list_leaves(NORMALIZED, up.normalized)))
    ids = {quantity.measurement for quantity in wanted}
    members = {
        leaf for name, paths in leaves.items() if name not in used for leaf in list_unread([*paths], used)
    }
    if ids == {None}:
        return members
    measured = {(key, kind) for up in found for key, _, kind in _measurements(up.values)}
    return members | {f"{MESSAGES} {key} {kind}".strip() for key, kind in measured if key not in ids}


def _table(record_type: str, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> RawTable:
    """Rows of things as text, which the contract types, so that a wrong one is rejected and not lost."""
    found = list(rows)
    texts = {name: [None if row.get(name) is None else str(row[name]) for row in found] for name in columns}
    return RawTable(record_type, pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String)))
