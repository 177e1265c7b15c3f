"""On which terms rows are given away: which sources' rows may go out, what is said beside each, what is left out.

What tenants' files say goes before what was published with the rows, so that consent that ends counts at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from civitas_assets.catalog import Source, Tenant
from civitas_assets.catalog.basis import COMMONS
from civitas_assets.catalog.licence import combine_notices, find_terms_of_licence
from civitas_assets.ingest.catalogue import load_catalogue
from civitas_assets.publish.reading import PublishedTables
from civitas_assets.publish.suppression import suppression_sql
from civitas_assets.settings import Settings


@dataclass(frozen=True)
class SourceTerms:
    """What is said of one source's rows: licence, where it is stated, whom to name, and what to say."""

    licence: str
    licence_url: str | None
    attribution: str | None
    notice: str
    is_shareable: bool


# As columns of an export, in this order.
SAID = ("licence", "licence_url", "attribution", "notice")


@dataclass(frozen=True)
class Conditions:
    """The terms by source; `everything` is for the tenant itself, who may have what nobody else may.

    `small` is by model and column the condition under which a count is left out.
    """

    sources: Mapping[str, SourceTerms] = field(default_factory=dict)
    everything: bool = True
    small: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def given(self) -> Mapping[str, SourceTerms]:
        """The sources whose rows go out."""
        return {name: terms for name, terms in self.sources.items() if self.everything or terms.is_shareable}

    @property
    def closed(self) -> list[str]:
        """The sources whose rows stay."""
        return sorted(self.sources.keys() - self.given.keys())

    def combine_notices(self) -> str:
        """What has to be said of all rows together; empty where nothing has."""
        return combine_notices(terms.licence for terms in self.given.values())

    def to_json(self) -> str:
        """For the metadata of a file."""
        found = [
            {"source": name, **{part: getattr(terms, part) for part in SAID}}
            for name, terms in self.given.items()
        ]
        return json.dumps({"sources": found, "notice": self.combine_notices()}, ensure_ascii=False)


def read_conditions(
    settings: Settings, tenant: str, tables: PublishedTables, *, everything: bool = False
) -> Conditions:
    """The terms on which a tenant's published rows are given away.

    What tenants share in the commons is there on its terms already.
    """
    if tenant == COMMONS:
        return Conditions()
    known = load_catalogue(settings).tenants.get(tenant) if settings.tenants_dir.is_dir() else None
    return read_conditions_of(known, tables, everything=everything)


def read_conditions_of(
    known: Tenant | None, tables: PublishedTables, *, everything: bool = False
) -> Conditions:
    """The same for a tenant whose file is read already; None where it has none."""
    if "source" not in tables.list_models():
        return Conditions()
    columns = tables.list_columns()["source"]
    asked = [name for name in ("source", "licence", "attribution", "is_shareable") if name in columns]
    rows = tables.query(f"select {', '.join(asked)} from source order by source").to_pylist()  # noqa: S608 - of ours
    sources = dict(_terms(rows, known.sources if known else {}))
    below = known.k if known and not everything else 0
    small = {
        name: suppression_sql(contract, below)
        for name, contract in (tables.read_contracts() if below else {}).items()
    }
    return Conditions(sources, everything, small)


def _terms(
    rows: Iterable[Mapping[str, Any]], sources: Mapping[str, Source]
) -> Iterator[tuple[str, SourceTerms]]:
    for row in rows:
        licence, name = row["licence"] or "unknown", row["source"]
        said, shareable = find_terms_of_licence(licence), row.get("is_shareable")
        if name in sources:
            shareable = sources[name].is_shareable
        elif shareable is None:
            shareable = said.is_open
        yield (
            name,
            SourceTerms(
                licence, said.address or None, row["attribution"], said.build_notice(licence), shareable
            ),
        )
