"""Whether what tenants share is there to be shared: models that exist, columns that they have, and never their keys.

What becomes of it is in the package `publish`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path

from civitas_assets.catalog import Catalog, Tenant
from civitas_assets.catalog.load import locate_fault
from civitas_assets.catalog.yaml_text import locate_file
from civitas_assets.dictionary.contracts import Contract
from civitas_assets.errors import CatalogError

# Without these a row of the commons could not be told from another, attributed, or replaced with its day.
_ALWAYS = frozenset({"tenant", "source", "day", "licence", "attribution"})


def list_mandatory_columns(contract: Contract) -> frozenset[str]:
    """The columns of a model that nobody can withhold."""
    return frozenset(contract.key) | (_ALWAYS & contract.columns.keys())


def check_shares(catalog: Catalog, contracts: Mapping[str, Contract], folder: Path) -> None:
    """See that every tenant shares what there is; the files are in the folder.

    Raises:
        CatalogError: with all faults of all files.
    """
    faults = [
        locate_fault(locate_file(folder, slug), place, message)
        for slug, tenant in catalog.tenants.items()
        for place, message in find_share_faults(tenant, contracts)
    ]
    if faults:
        raise CatalogError(faults)


def find_share_faults(
    tenant: Tenant, contracts: Mapping[str, Contract]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What of a tenant's shares is not there: the place in its file, and a sentence."""
    for number, share in enumerate(tenant.share):
        place = ("share", number)
        contract = contracts.get(share.table)
        if contract is None:
            yield (*place, "table"), f"{share.table!r} is no shared model; {_hint(share.table, contracts)}"
            continue
        for index, column in enumerate(share.withhold):
            at = (*place, "withhold", index)
            if column not in contract.columns:
                yield at, f"{share.table} has no column {column!r}; {_hint(column, contract.columns)}"
            elif column in list_mandatory_columns(contract):
                always = ", ".join(sorted(list_mandatory_columns(contract)))
                yield at, f"{column} cannot be withheld: {share.table} always has {always}"


def _hint(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"there is: {', '.join(sorted(known))}"
