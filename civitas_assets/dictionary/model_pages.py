"""The dictionary for readers: a Markdown page per shared model and the list of them, with pictures in Mermaid.

Where they are kept is in `documents.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from civitas_assets.dictionary.contracts import Contract, ForeignKey
from civitas_assets.dictionary.json_schema import make_model_urn

SCHEMA_FILE = "schemas/{}.schema.json"
REPLACED: Mapping[str, str] = {
    "replace_days": "by day: a run replaces the days for which something has changed",
    "replace_all": "as a whole, by every run that changes something",
}
_GENERATED = (
    "<!-- Made from the contracts in dbt_project/models/shared by `make models`; changes here are lost. -->"
)

_INDEX = """\
{generated}

# Shared models

The published tables are the same for every tenant. Each has a page with grain, columns, units, standard,
an example and a picture of its neighbours, and a JSON Schema of its rows.

| model | grain | version | standard |
| --- | --- | --- | --- |
{rows}

Units are [UCUM](https://ucum.org) codes; `1` is a plain number, as for counts and for shares from 0 to 1.
Where rows differ in their unit, the page names the column that has it. Columns that end in `_at` are
instants in UTC, and so are `valid_from` and `valid_to`. In a session with a local time zone, DuckDB's
`date_trunc('hour', …)` makes one of the two hours that have the same name in autumn, which
`time_bucket(interval '1 hour', …)` keeps apart.

## History

`station`, `parking_site`, `sharing_station` and `charge_point` are as they are now. Their `_history` has every version
of what was known of them, and each observation and status names the version of its time, so that a station that moved
or a car park that grew does not change what was measured before:

```sql
select o.phenomenon_start_at, o.value, h.lon, h.lat
from observation as o
inner join station_history as h on o.station_key = h.station_key and o.station_version = h.version
```

## Relations

{picture}

Besides, `source` names a row of [source](source.md) wherever it occurs.

## Versions

Every model has a version of its own by SemVer, so that a change is felt only by those who read that model.
[contracts.json](contracts.json) holds the contracts as last released. `civitas models --check`, which is
one of the tests, compares the present ones with them and prints the difference:

| change | asks for |
| --- | --- |
| Column or code removed; type narrowed or changed; unit, grain or key changed; null where none was | a major version |
| Column, code or relation added; type widened; no null any more; rows replaced in another way | a minor version |
| Words of description or standard; example | a patch version |

A model may only be dropped with a new major version of the package; below 1.0.0 a new minor one is enough.
`civitas models --release` remembers the contracts as released, and refuses where a version is too low.

## JSON Schema

The schemas are elements for the model registry of CIVITAS/CORE: JSON Schema 2020-12 whose `$id` is a URN
`urn:core:<scope>:<owner>:element:<domain>:<name>:<disambiguator>:<version>` of that registry. Scope and
disambiguator are those for identities from outside: the URN of a version never changes, and importing a
schema again finds the same element.
"""


def render_model_page(contract: Contract, contracts: Mapping[str, Contract]) -> str:
    """The page of one model."""
    schema = SCHEMA_FILE.format(contract.name)
    return "\n".join(
        [
            _GENERATED,
            "",
            f"# {contract.name}",
            "",
            contract.description,
            "",
            "| property | value |",
            "| --- | --- |",
            f"| grain | {_cell(contract.grain)} |",
            f"| key | {_codes(contract.key)} |",
            f"| rows are replaced | {REPLACED[contract.replaced]} |",
            f"| standard | {_cell(contract.standard)} |",
            f"| version | {contract.version} |",
            f"| JSON Schema | [{schema}]({schema}) |",
            f"| URN | `{make_model_urn(contract)}` |",
            "",
            "## Columns",
            "",
            "| column | type | null | unit | meaning |",
            "| --- | --- | --- | --- | --- |",
            *_columns(contract),
            "",
            "## Example",
            "",
            "```sql",
            contract.example,
            "```",
            "",
            "## Relations",
            "",
            *_related(contract, contracts),
            *_picture(_neighbours(contract, contracts), {contract.name}, contracts),
            "",
            "[All models](README.md)",
            "",
        ]
    )


def render_index_page(contracts: Mapping[str, Contract]) -> str:
    """The page that lists all models."""
    related = {
        name
        for contract in contracts.values()
        for relation in contract.relations
        for name in (contract.name, relation.model)
    }
    rows = [
        f"| [{name}]({name}.md) | {_cell(contract.grain)} | {contract.version} | {_cell(contract.standard)} |"
        for name, contract in contracts.items()
    ]
    picture = _picture(sorted(related), set(), contracts)
    return _INDEX.format(generated=_GENERATED, rows="\n".join(rows), picture="\n".join(picture))


def _columns(contract: Contract) -> Iterator[str]:
    for name, column in contract.columns.items():
        unit = (
            f"`{column.unit}`" if column.unit else f"in `{column.unit_column}`" if column.unit_column else ""
        )
        meaning = _cell(column.description)
        if column.codes:
            meaning += f" One of {_codes(column.codes)}."
        yield f"| `{name}` | {column.type} | {'yes' if column.nullable else 'no'} | {unit} | {meaning} |"


def _related(contract: Contract, contracts: Mapping[str, Contract]) -> Iterator[str]:
    lines = [
        f"- `{relation.column}` is [{relation.model}]({relation.model}.md)'s `{relation.field}`."
        for relation in contract.relations
    ]
    lines += [
        f"- [{other.name}]({other.name}.md) refers here with `{relation.column}`."
        for other in contracts.values()
        for relation in other.relations
        if relation.model == contract.name and other is not contract
    ]
    yield from [*lines, ""] if lines else []


def _neighbours(contract: Contract, contracts: Mapping[str, Contract]) -> list[str]:
    near = {relation.model for relation in contract.relations}
    near |= {
        other.name
        for other in contracts.values()
        for relation in other.relations
        if relation.model == contract.name
    }
    return [contract.name, *sorted(near - {contract.name})]


def _picture(shown: Iterable[str], in_full: set[str], contracts: Mapping[str, Contract]) -> Iterator[str]:
    """An entity-relationship diagram: of those in full all columns, of the others the ones that relate."""
    shown = list(shown)
    relations = [
        (contracts[name], relation)
        for name in shown
        for relation in contracts[name].relations
        # Neighbours of a model are drawn for its own sake, not for what they have to do with each other.
        if relation.model in shown and (not in_full or in_full & {name, relation.model})
    ]
    yield from ("```mermaid", "erDiagram")
    yield from (f"    {_line(contract, relation)}" for contract, relation in relations)
    for name in shown:
        contract = contracts[name]
        marks = _marks(contract)
        columns = contract.columns if name in in_full else [c for c in contract.columns if c in marks]
        yield f"    {name} {{"
        for column in columns:
            yield f"        {contract.columns[column].type} {column} {', '.join(marks.get(column, ()))}".rstrip()
        yield "    }"
    yield "```"


def _marks(contract: Contract) -> dict[str, list[str]]:
    marks: dict[str, list[str]] = {column: ["PK"] for column in contract.key}
    for relation in contract.relations:
        marks.setdefault(relation.column, []).append("FK")
    return marks


def _line(contract: Contract, relation: ForeignKey) -> str:
    """At most one parent, for a row may come before its description; any number of rows, or one by the key."""
    rows = "o|" if contract.key == (relation.column,) else "o{"
    return f'{relation.model} |o--{rows} {contract.name} : "{relation.column}"'


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
