"""Which rows of which shared model are exported, where they lie, and the fragments of SQL that all formats share.

How a format writes them is in its own module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from civitas_assets.errors import ExportError
from civitas_assets.export.terms import SAID, Conditions

# Models whose rows are about a thing of another model, and have its position; the key is called the same in both.
_THINGS = {
    "charge_point_status": ("charge_point", "charge_point_key"),
    "parking_status": ("parking_site", "site_key"),
    "sharing_status": ("sharing_station", "station_key"),
}
_OF_STATIONS = ("station", "station_key")


@dataclass(frozen=True)
class DaySpan:
    """Days in the tenant's zone, the last one included; None is open.

    Raises:
        ExportError: the last day is before the first one.
    """

    first: date | None
    last: date | None
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.first and self.last and self.last < self.first:
            raise ExportError(f"--to {self.last} is before --from {self.first}")

    def begins(self, day: date) -> datetime:
        """When the day begins, as an instant in UTC: midnight of the tenant is not that of the database."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)


@dataclass(frozen=True)
class Query:
    """SQL with its parameters."""

    sql: str
    parameters: tuple[object, ...] = ()


@dataclass(frozen=True)
class Selection:
    """Rows of a shared model as the relation `picked`, to be put before a query on it.

    Columns that are `withheld` are not shown; `order` are the columns by which rows are sorted, where the same rows are
    to be the same bytes.
    """

    model: str
    columns: Mapping[str, str]
    models: Mapping[str, Mapping[str, str]]
    span: DaySpan | None = None
    conditions: Conditions = field(default_factory=Conditions)
    withheld: frozenset[str] = frozenset()
    order: tuple[str, ...] = ()

    @classmethod
    def from_models(
        cls,
        models: Mapping[str, Mapping[str, str]],
        model: str,
        span: DaySpan | None,
        conditions: Conditions | None = None,
    ) -> Selection:
        """The rows of a published model, those of a span if one is given.

        Raises:
            ExportError: there is no such model, or it has no days.
        """
        if model not in models:
            raise ExportError(f"there is no published model {model}; there are: {', '.join(models)}")
        chosen = cls(model, models[model], models, span, conditions or Conditions())
        if span is not None and not chosen.has_days:
            timed = ", ".join(name for name in models if cls(name, models[name], models).has_days)
            raise ExportError(
                f"{model} has no days, so --from and --to mean nothing for it; these have: {timed}"
            )
        return chosen

    @property
    def shown(self) -> Mapping[str, str]:
        """The columns that formats write, with their types."""
        return {name: kind for name, kind in self.columns.items() if name not in self.withheld}

    @property
    def has_days(self) -> bool:
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

    def build_query(self, columns: str, extra: str = "", *, with_thing: bool = True) -> Query:
        """The columns of the rows that were picked; `thing` is what they are about, where they are about one."""
        joined = self._joined() if with_thing else ""
        where, parameters = self._condition()
        small = {
            c: when for c, when in self.conditions.small.get(self.model, {}).items() if c in self.columns
        }
        shown = ", ".join(f'case when {when} then null else "{c}" end as "{c}"' for c, when in small.items())
        chosen = f"* replace ({shown})" if shown else "*"
        picked = f'(select {chosen} from "{self.model}"{where})'  # noqa: S608 - names come from the database
        keys = ", ".join(f'picked."{name}"' for name in self.order)
        order = f" order by {keys}" if keys else ""
        return Query(f"select {columns} from {picked} as picked{joined}{extra}{order}", parameters)  # noqa: S608

    @property
    def said(self) -> Mapping[str, str]:
        """What has to be said beside each row, as SQL by the name of a column, as far as the model has none such."""
        if "source" not in self.columns or not self.conditions.sources:
            return {}
        return {name: self._said(name) for name in SAID if name not in self.columns}

    def _said(self, name: str) -> str:
        texts = {source: getattr(terms, name) for source, terms in self.conditions.given.items()}
        cases = "".join(
            f" when {literal_sql(source)} then {literal_sql(text)}" for source, text in texts.items() if text
        )
        return f"case picked.source{cases} end::varchar" if cases else "null::varchar"

    def _joined(self) -> str:
        """The thing as it was at the time of the row, where its versions are known; else as it is now."""
        if self.thing is None:
            return ""
        model, key = self.thing
        version, history = f"{key.removesuffix('_key')}_version", f"{model}_history"
        if version not in self.columns or history not in self.models:
            return f' left join "{model}" as thing on picked.{key} = thing.{key}'
        # Rows from before a table had versions name none.
        in_force = f"coalesce(picked.{version} = thing.version, thing.valid_to is null)"
        return f' left join "{history}" as thing on picked.{key} = thing.{key} and {in_force}'

    def _condition(self) -> tuple[str, tuple[object, ...]]:
        span, conditions, parameters = self.span, list[str](), list[object]()
        if "source" in self.columns and not self.conditions.everything:
            allowed = ", ".join(map(literal_sql, self.conditions.given))
            conditions.append(f"(source is null or source in ({allowed}))" if allowed else "source is null")
        if span is None:
            return f" where {conditions[0]}" if conditions else "", ()
        by_day = "day" in self.columns
        if span.first is not None:
            conditions.append("day >= ?" if by_day else "(end_at is null or end_at > ?)")
            parameters.append(span.first if by_day else span.begins(span.first))
        if span.last is not None:
            conditions.append("day <= ?" if by_day else "(start_at is null or start_at < ?)")
            parameters.append(span.last if by_day else span.begins(span.last + timedelta(days=1)))
        return " where " + " and ".join(conditions), tuple(parameters)


def iso_sql(moment: str) -> str:
    """SQL for an instant as ISO 8601 in UTC, with as many decimals of a second as it has."""
    return f"(replace(make_timestamp(epoch_us({moment}))::varchar, ' ', 'T') || 'Z')"


def literal_sql(text: str) -> str:
    """SQL for a text."""
    return "'" + text.replace("'", "''") + "'"
