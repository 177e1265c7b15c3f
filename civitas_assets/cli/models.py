"""The command `models`: the shared models and their contracts, in the shell and as files that follow from them.

What the models hold is decided in the dbt project.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from civitas_assets.cli.app import app, err, exit_unless, make_table, out, quote, read_settings, show_log

if TYPE_CHECKING:
    from civitas_assets.dictionary.contracts import Contract
    from civitas_assets.harmonise.derived_files import DerivedFiles

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "models"


@app.command()
def models(
    name: Annotated[str | None, typer.Argument(help="Show this model with its columns.")] = None,
    write: Annotated[
        bool,
        typer.Option(
            "--write", help="Renew docs/models from the contracts, and staging models from the record types."
        ),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Compare them, and the contracts with those of the last release.")
    ] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Remember the contracts as those of this release.")
    ] = False,
) -> None:
    """List the shared models; with a name, its columns, units and an example.

    A breaking change of a contract without a new major version makes --check exit with 1, and --release refuse.
    """
    from civitas_assets import __version__
    from civitas_assets.dictionary import documents
    from civitas_assets.dictionary.contracts import read_contracts
    from civitas_assets.dictionary.documents import derive_documents
    from civitas_assets.harmonise.prepare import prepare_project
    from civitas_assets.harmonise.staging_models import derive_staging

    settings = read_settings()
    show_log(settings)
    staging = derive_staging(settings.dbt_project_dir)
    if write:
        _renew(staging)
    contracts = read_contracts(prepare_project(settings))
    derived = derive_documents(FOLDER, contracts)
    if name is not None:
        _print_model(name, contracts)
    elif not (write or check or release):
        _print_models(contracts)
    if write:
        _renew(derived)
    if release:
        documents.write_release(FOLDER, contracts, __version__)
        err.say(f"{FOLDER / documents.RELEASED}: {len(contracts)} contracts released")
    if check:
        exit_unless(_check(contracts, __version__, [staging, derived]))


def _renew(files: DerivedFiles) -> None:
    err.say(f"{files.folder}: {len(files.renew())} file(s) renewed")


def _check(contracts: Mapping[str, Contract], version: str, derived: Sequence[DerivedFiles]) -> bool:
    """Print all differences, and what is wrong with them; whether nothing is."""
    from civitas_assets.dictionary import documents
    from civitas_assets.dictionary.compare import compare_contracts

    before = documents.read_last_release(FOLDER)
    for change in compare_contracts(before.models, contracts):
        out.say(str(change))
    wrong = documents.find_release_faults(before, contracts, version)
    stale = {files.folder: names for files in derived if (names := files.list_outdated())}
    for text in wrong:
        err.say_error(text)
    for folder, names in stale.items():
        err.say_error(f"{folder} is out of date, run `make models`: {', '.join(names)}")
    return not (wrong or stale)


def _print_models(contracts: Mapping[str, Contract]) -> None:
    table = make_table("model", "grain", "rows replaced", "columns", "version", numbers={"columns"})
    for contract in contracts.values():
        replaced = "by day" if contract.replaced == "replace_days" else "all"
        table.add_row(
            contract.name, quote(contract.grain), replaced, str(len(contract.columns)), contract.version
        )
    out.print(table)


def _print_model(name: str, contracts: Mapping[str, Contract]) -> None:
    from civitas_assets.errors import DictionaryError

    if name not in contracts:
        raise DictionaryError(f"there is no shared model {name}; there are: {', '.join(contracts)}")
    contract = contracts[name]
    out.say(f"{contract.name} {contract.version}: {contract.description}\n")
    out.say(f"Key: {', '.join(contract.key)}\nStandard: {contract.standard}\n")
    table = make_table("column", "type", "null", "unit", "meaning")
    for column, described in contract.columns.items():
        unit = described.unit or (described.unit_column and f"in {described.unit_column}") or ""
        null = "yes" if described.nullable else "no"
        table.add_row(column, described.type, null, quote(unit), quote(described.description))
    out.print(table)
    out.say(f"{contract.example}\n")
