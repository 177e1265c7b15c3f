"""Values of any database driver as text, as PostgreSQL would write them; nothing for what is none.

PostgreSQL itself writes its rows; other drivers hand over values in types of Python.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from civitas_assets.records.clean_text import clean_text
from civitas_assets.records.geometry_forms import add_srid

_MOST_WHOLE = 2.0**53
# MySQL has days that no calendar has, for "not known".
_NO_DAY = re.compile(r"0000-00-00(?: 00:00:00(?:\.0+)?)?")
_SYSTEM = 4  # bytes
# Types of columns in the protocol of MySQL, which all its drivers name by these numbers.
_TIMESTAMP, _BIT = 7, 16


def format_sql_value(value: Any, *, spatial: bool = False) -> Any:
    """One value as a cell of CSV; `spatial` says that bytes may be a geometry of MySQL."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, str):
        return None if _NO_DAY.fullmatch(value) else clean_text(value)
    if hasattr(value, "read"):  # a large object of Oracle
        value = value.read()
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _bytes(bytes(value), spatial=spatial)
    return clean_text(str(value))


def choose_mysql_writers(types: Sequence[object]) -> list[Callable[[Any], Any]]:
    """How the values of each column are written, by the column's type: drivers give instants and bits as anything.

    The session's time zone has to be UTC.
    """
    own: dict[object, Callable[[Any], Any]] = {_TIMESTAMP: _instant, _BIT: _bits}
    return [own.get(kind, partial(format_sql_value, spatial=True)) for kind in types]


def _instant(value: Any) -> Any:
    is_bare = isinstance(value, datetime) and value.tzinfo is None
    return format_sql_value(value.replace(tzinfo=UTC) if is_bare else value)


def _bits(value: Any) -> Any:
    return format_sql_value(int.from_bytes(value, "big") if isinstance(value, (bytes, bytearray)) else value)


def _bytes(value: bytes, *, spatial: bool) -> str:
    """Hexadecimal; a geometry of MySQL, which is its reference system and then well-known binary, as EWKB."""
    system = int.from_bytes(value[:_SYSTEM], "little")
    return (add_srid(value[_SYSTEM:], system) if spatial else None) or value.hex()


def _moment(value: datetime) -> str:
    return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat(sep=" ")


def _duration(value: timedelta) -> str:
    """Hours, which may be more than a day has, minutes and seconds: times of MySQL and intervals alike."""
    sign, value = ("-", -value) if value < timedelta() else ("", value)
    minutes, seconds = divmod(value.days * 86_400 + value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{value.microseconds:06}" if value.microseconds else ""
    return f"{sign}{hours:02}:{minutes:02}:{seconds:02}{fraction}"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < _MOST_WHOLE else repr(value)


def _structure(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=format_sql_value, separators=(",", ":"))


_WRITERS: tuple[tuple[Any, Any], ...] = (
    (bool, lambda value: "t" if value else "f"),
    (float, _number),
    (Decimal, lambda value: format(value, "f")),
    (datetime, _moment),
    ((date, time), lambda value: value.isoformat()),
    (timedelta, _duration),
    ((list, tuple, Mapping), _structure),
    (Set, lambda value: ",".join(sorted(map(str, value)))),
)
