"""Which times can be meant: bounds of every time column, ends that are open, and clocks that nobody has set.

Nothing is corrected here; what is found is set apart or marked by the rules in `typing.py`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl

# No measurement is older than instruments; beyond lie years of two digits, times in other units, or what means none.
_FIRST_TIME, _LAST_TIME = datetime(1700, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_FIRST_DAY, _LAST_DAY = (
    date(1000, 1, 1),
    date(2200, 1, 1),
)  # town halls and parishes are older than instruments

# PostgreSQL's infinity, the open end of an ISO interval, and the first and last days of calendars and databases.
_OPEN = (
    r"(?i)^[+-]?infinity$|^\.\.$"
    r"|^(?:9999|2999)-?12-?3[01](?:[T ].*)?$|^3[01]\.12\.(?:9999|2999)(?:\D.*)?$"
    r"|^000[01]-?0[01]-?0[01](?:[T ].*)?$|^0?1\.0?1\.0001(?:\D.*)?$"
)
_LAST_YEAR = 9999

# Clocks that were never set show the day from which they count, and go on from there: spreadsheets of both kinds, Unix,
# the Global Positioning System, and clock chips. Seconds read as milliseconds lie in the January of 1970, too.
_UNSET = [
    (datetime(1899, 12, 29, tzinfo=UTC), datetime(1900, 1, 3, tzinfo=UTC)),
    (datetime(1903, 12, 31, tzinfo=UTC), datetime(1904, 1, 4, tzinfo=UTC)),
    (datetime(1969, 12, 31, tzinfo=UTC), datetime(1970, 3, 1, tzinfo=UTC)),
    (datetime(1979, 12, 31, tzinfo=UTC), datetime(1980, 3, 1, tzinfo=UTC)),
    (datetime(1999, 12, 31, tzinfo=UTC), datetime(2000, 1, 3, tzinfo=UTC)),
]
_NEIGHBOURHOOD = timedelta(days=731)


def remove_open_ends(values: pl.Series) -> pl.Series:
    """Written or typed times, null where they say that there is no end or no beginning."""
    if values.dtype == pl.String:
        return values.set(values.str.contains(_OPEN), None)
    if values.dtype.is_temporal() and values.dtype not in {pl.Time, pl.Duration}:
        years = values.dt.year()
        return values.set((years >= _LAST_YEAR) | (years <= 1), None)
    return values


def is_implausible(times: pl.Series) -> pl.Series:
    """Which days or instants lie where nobody can have meant them."""
    first, last = (_FIRST_DAY, _LAST_DAY) if times.dtype == pl.Date else (_FIRST_TIME, _LAST_TIME)
    return ~times.is_between(first, last).fill_null(value=True)


def is_of_unset_clock(times: pl.Series, payloads: pl.Series) -> pl.Series:
    """Which instants a clock shows that was never set, though their payload has no history of those years.

    A payload with other times within two years tells of them: a series that goes back to 1970 had a first of January.
    """
    latest = max(end for _, end in _UNSET)
    # Compared by Polars: midnight of the year 1 in a zone east of Greenwich is a year that Python has not.
    if not (times < latest).any():
        return pl.Series([False]).new_from_index(0, len(times))
    frame = pl.DataFrame({"time": times, "payload": payloads})
    eras = [pl.col("time").is_between(start, end, closed="left") for start, end in _UNSET]
    told = pl.any_horizontal(*eras)
    unset = [
        era
        & ~(
            (pl.col("time").is_between(start - _NEIGHBOURHOOD, end + _NEIGHBOURHOOD) & ~told)
            .any()
            .over("payload")
        )
        for era, (start, end) in zip(eras, _UNSET, strict=True)
    ]
    return frame.select(pl.any_horizontal(*unset).fill_null(value=False)).to_series()
