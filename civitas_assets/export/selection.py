"""Which rows of which shared model are exported, where they lie, and the fragments of SQL that all formats share.

How a format writes them is in its own module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from civitas_assets.errors import ExportError

# Models whose rows are about a thing of another model, and have its position; the key is called the same in both.
_THINGS = {
    "charge_point_status": ("charge_point", "charge_point_key"),
    "parking_status": ("parking_site", "site_key"),
    "sharing_status": ("sharing_station", "station_key"),
}
_OF_STATIONS = ("station", "station_key")


@dataclass(frozen=True)
class Span:
    """From the start of the first day to before the start of the other one, in the tenant's zone; None is open."""

    first: date | None
    end: date | None
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.first and self.end and self.end <= self.first:
            raise ExportError(f"--to {self.end} is not after --from {self.first}; it is the first day left out")

    def instant(self, day: date) -> datetime:
        """When the day begins."""
        return datetime.combine(day, time(), self.zone)


@dataclass(frozen=True)
class Query:
    """SQL with its parameters."""

    sql: str
    parameters: tuple[object, ...] = ()


@dataclass(frozen=True)
class Selection:
    """Rows of a shared model as the relation `picked`, to be put before a query on it."""

    model: str
    columns: Mapping[str, str]
    models: Mapping[str, Mapping[str, str]]
    span: Span | None = None

    @classmethod
    def of(cls, models: Mapping[str, Mapping[str, str]], model: str, span: Span | None) -> Selection:
        """The rows of a published model, those of a span if one is given.

        Raises:
            ExportError: there is no such model, or it has no time.
        """
        if model not in models:
            raise ExportError(f"there is no published model {model}; there are: {', '.join(models)}")
        chosen = cls(model, models[model], models, span)
        if span is not None and not chosen.has_time:
            timed = ", ".join(name for name in models if cls(name, models[name], models).has_time)
            raise ExportError(f"{model} has no time, so --from and --to mean nothing for it; these have: {timed}")
        return chosen

    @property
    def has_time(self) -> bool:
        """Whether rows have a day, or a start and an end."""
        return "day" in self.columns or {"start_at", "end_at"} <= self.columns.keys()

    @property
    def thing(self) -> tuple[str, str] | None:
        """The model of the thing that a row is about, and the key of both; None where a row is the thing itself."""
        model, key = _THINGS.get(self.model, _OF_STATIONS)
        about_one = "lon" not in self.columns and key in self.columns and model in self.models
        return (model, key) if about_one else None

    @property
    def is_somewhere(self) -> bool:
        """Whether rows have a position, their own or that of their thing."""
        return "lon" in self.columns or self.thing is not None

    def query(self, columns: str, extra: str = "") -> Query:
        """The columns of the rows that were picked; `thing` is what they are about, where they are about one."""
        joined = ""
        if self.thing is not None:
            model, key = self.thing
            joined = f' left join "{model}" as thing on picked.{key} = thing.{key}'
        where, parameters = self._condition()
        return Query(
            f'with picked as (select * from "{self.model}"{where}) select {columns} from picked{joined}{extra}',
            parameters,
        )

    def _condition(self) -> tuple[str, tuple[object, ...]]:
        span, conditions, parameters = self.span, list[str](), list[object]()
        if span is None:
            return "", ()
        by_day = "day" in self.columns
        if span.first is not None:
            conditions.append("day >= ?" if by_day else "(end_at is null or end_at > ?)")
            parameters.append(span.first if by_day else span.instant(span.first))
        if span.end is not None:
            conditions.append("day < ?" if by_day else "(start_at is null or start_at < ?)")
            parameters.append(span.end if by_day else span.instant(span.end))
        return " where " + " and ".join(conditions), tuple(parameters)


def iso(moment: str) -> str:
    """SQL for an instant as ISO 8601 in UTC, with as many decimals of a second as it has."""
    text = f"strftime({moment} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%f')"
    return rf"(regexp_replace({text}, '\.?0+$', '') || 'Z')"


def literal(text: str) -> str:
    """SQL for a text."""
    return "'" + text.replace("'", "''") + "'"
