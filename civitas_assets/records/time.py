"""From written times to instants in UTC, by the rule that the source declares.

Nothing is guessed: a time that does not exist, or is ambiguous without a rule for it, is a fault of its row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import polars as pl

from civitas_assets.catalog import TimeRule
from civitas_assets.catalog import pattern as patterns
from civitas_assets.records.clean_text import to_text
from civitas_assets.records.contract import UTC_TIME

_NAIVE = pl.Datetime("us")
_MOST_MICROSECONDS = 1e16  # some three hundred years
_NAIVE_ISO = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d", "%Y-%m-%dT%H")
_HOUR_24 = r"(^|[^:0-9])24:00(:00(?:\.0+)?)?($|[^:.0-9])"
# Hours that a pattern reads at its end, without a colon behind them.
_HOURS_24 = {"%H": (r"(^|[^:0-9])24$", "${1}00"), "%H%M": (r"(^|[^:0-9])2400$", "${1}0000")}
_PERIOD = r"^(\d{4})(?:/(\d{4})|-Q([1-4])|-(\d{2})(?:-(\d{2}))?)?$"
_PARTS = ("year", "last_year", "quarter", "month", "day")
_OFFSET_ISO = (
    "%+", "%Y-%m-%dT%H:%M%#z", "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M%#z",
    "%Y-%m-%dT%H%#z",
)  # fmt: skip
_BASIC = r"^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(.*)$"
_BASIC_SECONDS = r"(T\d{2}:\d{2})(\d{2})((?:[.,]\d+)?(?:Z|[+-].*)?)$"
_DECIMAL_COMMA = r"(:\d{2}),(\d+)"
_MIDNIGHT_24 = r"T24:00(:00)?(?:\.0+)?(Z|[+-]\d{2}:?\d{0,2})$"
_DAY = r"^(\d{4}-\d{2}-\d{2}|\d{4}/\d{2}/\d{2}|\d{1,2}\.\d{1,2}\.\d{4}|\d{8}$)(?:\D|$)"
_DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d", "%Y%m%d")
_WITH_OFFSET = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}.*(Z|[+-]\d{2}(:?\d{2})?)$"


@dataclass(frozen=True)
class EventTimes:
    """Times of a table's rows: start and end in UTC, how a fold was read, and the rows at fault by rule."""

    start: pl.Series
    end: pl.Series
    flag: pl.Series
    faults: dict[str, pl.Series]


def parse_instants(text: pl.Series) -> pl.Series:
    """ISO 8601 times that carry their offset, as UTC; null where the text is not one."""
    if text.dtype == pl.Null:
        return text.cast(UTC_TIME)
    # The usual form has a fast path in Polars; the general one, four times as slow, sees only what is left.
    parsed = text.str.strptime(_NAIVE, "%Y-%m-%dT%H:%M:%SZ", strict=False).dt.replace_time_zone("UTC")
    for pattern in _OFFSET_ISO:
        parsed = _fill(parsed, text, lambda rest, p=pattern: patterns.parse_pattern_instants(rest, p))  # type: ignore[misc]
    return _fill(parsed, text, _seldom)


def _seldom(text: pl.Series) -> pl.Series:
    """Instants in forms that ISO 8601 and RFC 9557 allow and that few write, from those that are in no usual one.

    Without separators, with a comma before decimals, as the hour 24 of a day, or with a zone in brackets behind the
    offset.
    """
    plain = _plain(text.str.replace(r"\[[^\]]*\]$", ""))
    is_next_day = plain.str.contains(_MIDNIGHT_24).fill_null(value=False)
    plain = plain.str.replace(_MIDNIGHT_24, "T00:00${1}${2}")
    if not (plain != text).any():
        return pl.Series([None], dtype=UTC_TIME).new_from_index(0, len(text))
    read = pl.Series([None], dtype=UTC_TIME).new_from_index(0, len(text))
    for pattern in _OFFSET_ISO:
        read = _fill(read, plain, lambda rest, p=pattern: patterns.parse_pattern_instants(rest, p))  # type: ignore[misc]
    return (read + timedelta(days=1)).zip_with(is_next_day, read)


def _plain(text: pl.Series) -> pl.Series:
    """ISO 8601 with separators, and a point before decimals."""
    return (
        text.str.replace(_BASIC, "${1}-${2}-${3}T${4}:${5}${6}")
        .str.replace(_BASIC_SECONDS, "${1}:${2}${3}")
        .str.replace(_DECIMAL_COMMA, "${1}.${2}")
    )


def parse_dates(values: pl.Series, zone: str) -> pl.Series:
    """Calendar days as ISO 8601 or German files write them, also with a time behind; null where it is none.

    A day that is written as an instant, such as `2026-03-01T23:00:00Z` for a midnight of Berlin, is the one in `zone`.
    """
    if isinstance(values.dtype, pl.Datetime):
        return (values if values.dtype.time_zone is None else values.dt.convert_time_zone(zone)).dt.date()
    if values.dtype == pl.Date:
        return values
    text = values.cast(pl.String)
    written = text.str.extract(_DAY, 1)
    day = written.str.strptime(pl.Date, _DAYS[0], strict=False)
    for pattern in _DAYS[1:]:
        day = _fill(day, written, lambda rest, p=pattern: rest.str.strptime(pl.Date, p, strict=False))  # type: ignore[misc]
    aware = text.str.contains(_WITH_OFFSET).fill_null(value=False)
    if not aware.any():
        return day
    where = aware.arg_true()
    return day.scatter(where, parse_instants(text.gather(where)).dt.convert_time_zone(zone).dt.date())


def parse_other_times(values: pl.Series, instants: pl.Series, rule: TimeRule | None, zone: str) -> pl.Series:
    """Times besides that of the event: those that carry no offset are read by the rule of the source.

    What occurs twice on the wall clock without a rule for it, or never, stays null.
    """
    if rule is None or rule.zone == "received" or instants.null_count() == values.null_count():
        return instants
    instant = rule.model_copy(update={"stamp": "instant", "interval": None})
    times = parse_event_times(values, instant, zone, instants, values)
    read = times.start
    for rows in times.faults.values():
        read = read.set(rows, None)
    return instants.zip_with(instants.is_not_null(), read)


def parse_event_times(
    written: pl.Series | None, rule: TimeRule, zone: str, received_at: pl.Series, series: pl.Series
) -> EventTimes:
    """The times that a rule makes of a column of written ones.

    `zone` is the tenant's. `received_at` stands in for data without any time. `series` names the series that
    each row belongs to, so that two passes of the repeated hour can be told apart by order.
    """
    length = len(received_at)
    if rule.zone == "received" or written is None:
        return EventTimes(received_at, received_at, _no_flag(length), {})
    given = written.is_not_null()
    none_given = {"time_is_missing": ~given}
    if rule.zone == "offset" or rule.counted:
        instant = _epoch(written, rule.format) if rule.counted else _aware(written, rule.format)
        start = instant - rule.interval if rule.stamp == "interval_end" and rule.interval else instant
        end = start + rule.interval if rule.interval else start
        return EventTimes(
            start, end, _no_flag(length), {**none_given, "time_is_unreadable": given & instant.is_null()}
        )
    if rule.format == "period":
        return _periods(written, rule, zone, none_given)
    wall = _naive(written, rule)
    faults = {**none_given, "time_is_unreadable": given & wall.is_null()}
    if rule.stamp == "interval_end" and rule.interval:
        # In wall time: 03:00 may end both passes of the repeated hour, though it is not ambiguous itself.
        wall = wall - rule.interval
    if rule.zone == "local_wall":
        return _local(wall, rule, zone, series, faults)
    if rule.zone == "cet_fixed":
        wall = wall - timedelta(hours=1)
    start = wall.dt.replace_time_zone("UTC")
    return EventTimes(start, start + rule.interval if rule.interval else start, _no_flag(length), faults)


def _local(
    wall: pl.Series, rule: TimeRule, zone: str, series: pl.Series, faults: dict[str, pl.Series]
) -> EventTimes:
    first = _at_zone(wall, zone, "earliest")
    faults["time_does_not_exist"] = wall.is_not_null() & first.is_null()
    # Few times are ambiguous and many are repeated: the distinct ones tell which rows need a second look.
    walls = wall.unique()
    twice = walls.filter(_at_zone(walls, zone, "earliest") != _at_zone(walls, zone, "latest"))
    if twice.is_empty():
        return EventTimes(
            first, first + rule.interval if rule.interval else first, _no_flag(len(wall)), faults
        )
    ambiguous = wall.is_in(twice.implode()).fill_null(value=False)
    start = end = first
    if rule.fold == "reject":
        faults["time_is_ambiguous"] = ambiguous
    elif rule.fold in {"second", "by_order"}:
        late = ambiguous if rule.fold == "second" else ambiguous & _is_repetition(wall, series)
        start = end = _in_second_pass(first, wall, zone, late)
    elif rule.fold == "summed":
        end = _in_second_pass(first, wall, zone, ambiguous)
    flag = _flagged(ambiguous, f"fold_{rule.fold}")
    return EventTimes(start, end + rule.interval if rule.interval else end, flag, faults)


def _periods(written: pl.Series, rule: TimeRule, zone: str, faults: dict[str, pl.Series]) -> EventTimes:
    """Years, months, quarters and days from their start to the start of the next; `2011/2012` is both years."""
    text = to_text(written).str.strip_chars()
    parts = pl.DataFrame({"text": text}).select(
        *(
            pl.col("text").str.extract(_PERIOD, group + 1).cast(pl.Int32).alias(name)
            for group, name in enumerate(_PARTS)
        )
    )
    month = pl.coalesce(pl.col("month"), 3 * pl.col("quarter") - 2, 1)
    # By its text, because a day that no calendar has is then none, and no error.
    written_day = pl.format("{}-{}-{}", "year", month, pl.coalesce("day", 1))
    start = written_day.str.to_date("%Y-%-m-%-d", strict=False)
    length = (
        pl.when(pl.col("day").is_not_null())
        .then(pl.lit("1d"))
        .when(pl.col("month").is_not_null())
        .then(pl.lit("1mo"))
        .when(pl.col("quarter").is_not_null())
        .then(pl.lit("3mo"))
        .otherwise(pl.lit("1y"))
    )
    end = pl.coalesce(pl.date(pl.col("last_year") + 1, 1, 1), start.dt.offset_by(length))
    walls = parts.select(start.cast(_NAIVE).alias("start"), end.cast(_NAIVE).alias("end"))
    backwards = (walls["end"] <= walls["start"]).fill_null(value=False)
    walls = walls.with_columns(pl.when(~backwards).then(pl.all()))

    def at(wall: pl.Series) -> pl.Series:
        if rule.zone == "local_wall":
            return _at_zone(wall, zone, "earliest")
        hours = 1 if rule.zone == "cet_fixed" else 0
        return (wall - timedelta(hours=hours)).dt.replace_time_zone("UTC")

    unreadable = written.is_not_null() & walls["start"].is_null()
    found = {**faults, "time_is_unreadable": unreadable}
    return EventTimes(at(walls["start"]), at(walls["end"]), _no_flag(len(written)), found)


def _at_zone(wall: pl.Series, zone: str, pass_: Literal["earliest", "latest"]) -> pl.Series:
    return wall.dt.replace_time_zone(zone, ambiguous=pass_, non_existent="null").dt.convert_time_zone("UTC")


def _in_second_pass(first: pl.Series, wall: pl.Series, zone: str, late: pl.Series) -> pl.Series:
    """The instants of the first pass, in these rows those of the second one."""
    rows = late.arg_true()
    return first.clone().scatter(rows, _at_zone(wall.gather(rows), zone, "latest"))


def _is_repetition(wall: pl.Series, series: pl.Series) -> pl.Series:
    """Whether the same wall time was met before in the same series."""
    frame = pl.DataFrame({"wall": wall, "series": series})
    return frame.select(pl.int_range(pl.len()).over("series", "wall") > 0).to_series()


def _naive(written: pl.Series, rule: TimeRule) -> pl.Series:
    text = to_text(written)
    extra_day = None
    if rule.hour24:
        found = (forms for end, forms in _HOURS_24.items() if rule.format.endswith(end))
        written_24, zero = next(found, (_HOUR_24, "${1}00:00${2}${3}"))
        extra_day = text.str.contains(written_24).fill_null(value=False)
        text = text.str.replace(written_24, zero)
    if rule.format != "iso":
        wall = patterns.parse_wall_times(text, rule.format)
    else:
        text = text.str.replace(" ", "T", literal=True)
        if rule.zone == "utc":
            text = text.str.strip_suffix("Z")
        wall = text.str.strptime(_NAIVE, _NAIVE_ISO[0], strict=False)
        for pattern in _NAIVE_ISO[1:]:
            wall = _fill(wall, text, lambda rest, p=pattern: patterns.parse_wall_times(rest, p))  # type: ignore[misc]
    if extra_day is not None:
        wall = (wall + timedelta(days=1)).zip_with(extra_day, wall)
    return wall


def _aware(written: pl.Series, form: str) -> pl.Series:
    text = to_text(written)
    return parse_instants(text) if form == "iso" else patterns.parse_pattern_instants(text, form)


def _epoch(written: pl.Series, form: str) -> pl.Series:
    factor = 1_000_000 if form == "epoch_s" else 1_000
    number = (written.cast(pl.Float64, strict=False) * factor).round()
    # Beyond a calendar's years there is no time to convert.
    return number.set(number.abs() > _MOST_MICROSECONDS, None).cast(pl.Int64, strict=False).cast(UTC_TIME)


def _fill(parsed: pl.Series, text: pl.Series, parse: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """What is still unread, read another way."""
    if parsed.null_count() == text.null_count():
        return parsed
    where = (parsed.is_null() & text.is_not_null()).arg_true()
    return parsed.scatter(where, parse(text.gather(where)))


def _no_flag(length: int) -> pl.Series:
    return pl.Series("flag", [None], pl.String).new_from_index(0, length)


def _flagged(rows: pl.Series, flag: str) -> pl.Series:
    return pl.Series("flag", [flag]).new_from_index(0, len(rows)).zip_with(rows, _no_flag(len(rows)))
