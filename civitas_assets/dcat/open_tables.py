"""Which published tables of a tenant are open data: those it shares whose rows are all under open licences.

The rules of exports decide which rows go out; how a table is announced is in `catalogue_graph.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.cadence import Cadence
from civitas_assets.catalog.licence import combine_notices, find_terms_of_licence
from civitas_assets.dcat.model_labels import BOOKKEEPING, MODEL_LABELS
from civitas_assets.dictionary.contracts import Contract
from civitas_assets.export.selection import Selection
from civitas_assets.export.terms import Conditions, read_conditions_of
from civitas_assets.publish.reading import PublishedTables, open_published
from civitas_assets.settings import Settings


@dataclass(frozen=True)
class OpenTable:
    """A table that is open data; days are those of the tenant, `changed_at` is when something last came in (UTC)."""

    model: str
    licences: tuple[str, ...]
    attributions: tuple[str, ...]
    notices: tuple[str, ...]
    cadences: frozenset[Cadence]
    has_position: bool
    first: date | None = None
    last: date | None = None
    changed_at: datetime | None = None
    contract: Contract | None = None
    withheld: frozenset[str] = frozenset()


@dataclass(frozen=True)
class OpenTables:
    """What a tenant announces, and why it does not announce the rest of what it shares, by model."""

    tenant: Tenant
    tables: tuple[OpenTable, ...]
    left_out: Mapping[str, str]


def read_open_tables(settings: Settings, tenant: Tenant) -> OpenTables:
    """The open data of a tenant as they are published at this moment.

    Raises:
        PublishError: the tenant has no output yet.
    """
    with open_published(settings, tenant.slug) as published:
        return select_open_tables(published, tenant, read_conditions_of(tenant, published))


def select_open_tables(published: PublishedTables, tenant: Tenant, conditions: Conditions) -> OpenTables:
    """The open data among tables that are open already, given away on these terms."""
    tables, left_out = list[OpenTable](), dict[str, str]()
    # No count is read here, and leaving small ones out is SQL of DuckDB that a server does not know.
    conditions = replace(conditions, small={})
    columns, contracts = published.list_columns(), published.read_contracts()
    for share in sorted(tenant.share, key=lambda share: share.table):
        asking = _Asking(published, tenant, columns, conditions, frozenset(share.withhold))
        found = asking.read(share.table, contracts.get(share.table))
        if isinstance(found, str):
            left_out[share.table] = found
        else:
            tables.append(found)
    return OpenTables(tenant, tuple(tables), left_out)


@dataclass(frozen=True)
class _Asking:
    """What is asked of published tables."""

    published: PublishedTables
    tenant: Tenant
    columns: Mapping[str, Mapping[str, str]]
    conditions: Conditions
    withheld: frozenset[str]

    def read(self, model: str, contract: Contract | None) -> OpenTable | str:
        """The table, or the reason why it is not announced."""
        if model in BOOKKEEPING:
            return "it says how data came about, and is no data itself"
        if model not in MODEL_LABELS:  # one of the deployment's own
            return "nobody has said what it is called in a catalogue"
        if model not in self.columns:
            return "it is not published"
        selection = Selection.from_models(self.columns, model, None, self.conditions)
        asked = ["picked.source as source", *_select_times(selection.columns, self.withheld)]
        query = selection.build_query(", ".join(asked), " group by picked.source", with_thing=False)
        rows: list[dict[str, Any]] = self.published.query_rows(query.sql, query.parameters)
        if not rows:
            return "it has no rows that may be given to others"
        sources = sorted(str(row["source"]) for row in rows)
        if closed := [name for name in sources if not self._is_open(name)]:
            return f"it has rows of {', '.join(closed)}, whose licence is not open"
        configured, given = self.tenant.sources, self.conditions.given
        licences = tuple(sorted({configured[name].licence for name in sources}))
        notices = sorted({find_terms_of_licence(licence).build_notice(licence) for licence in licences})
        return OpenTable(
            model,
            licences,
            tuple(sorted({text for name in sources if (text := given[name].attribution)})),
            tuple(filter(None, [*notices, combine_notices(licences)])),
            frozenset(configured[name].cadence for name in sources),
            selection.is_somewhere and self.withheld.isdisjoint({"lon", "lat", "geometry_wkb"}),
            self._find_day(min, rows, "first"),
            self._find_day(max, rows, "last"),
            max((row["changed"] for row in rows if isinstance(row.get("changed"), datetime)), default=None),
            contract,
            self.withheld,
        )

    def _is_open(self, source: str) -> bool:
        """Whether both what was published and the tenant's file call the source's licence an open one."""
        if source not in self.tenant.sources or source not in self.conditions.given:
            return False
        said = (self.tenant.sources[source].licence, self.conditions.given[source].licence)
        return all(find_terms_of_licence(licence).is_open for licence in said)

    def _find_day(self, choose: Any, rows: list[dict[str, Any]], name: str) -> date | None:
        found = choose((row[name] for row in rows if row.get(name) is not None), default=None)
        return found.astimezone(self.tenant.zone).date() if isinstance(found, datetime) else found


def _select_times(columns: Iterable[str], withheld: frozenset[str]) -> Iterator[str]:
    shown = {*columns} - withheld
    if "day" in shown:
        yield "min(picked.day) as first"
        yield "max(picked.day) as last"
    elif {"start_at", "end_at"} <= shown:
        yield "min(picked.start_at) as first"
        yield "max(picked.end_at) as last"
    if "received_at" in shown:
        yield "max(picked.received_at) as changed"
