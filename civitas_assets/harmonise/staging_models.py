"""What the dbt project says of record types, written from their contracts: sources, staging models, columns of things.

The files are in the repository, to be read; `make models` renews them, and a test compares them.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from civitas_assets.harmonise.derived_files import DerivedFiles
from civitas_assets.harmonise.workspace_tables import BEFORE
from civitas_assets.records import PROVENANCE, RECORD_TYPES, RecordType

_STAGED = "models/staging/records"  # the folder, of which nothing is written by hand
_TOLD = "macros/told_columns.sql"
_SAID = "Written by `make models` from civitas_assets/records; change it there."
_BEFORE = "Observations of days that are not affected, for averages and checks that reach back into them."
_SOURCE = """\
  - name: records
    schema: records
    description: "The records that a run is given: all revisions of records of the affected days, and of all things."
    # For `dbt source freshness` in a workspace: how old the newest record of a kind that a town has is, whoever
    # brought it. Whether each source is as fresh as its own cadence asks is known from its fetches, of which records
    # say nothing.
    config:
      loaded_at_query: "select coalesce(max(received_at), now()) from {{ this }}"
      freshness:
        warn_after: {count: 48, period: hour}
    tables:""".splitlines()

_Described: TypeAlias = tuple[str, str]  # a column as staging selects it, and its meaning


def derive_staging(project: Path, record_types: Mapping[str, RecordType] = RECORD_TYPES) -> DerivedFiles:
    """The files of a dbt project that follow from the record types."""
    kinds = record_types.values()
    texts = {
        _TOLD: _render_told(kinds),
        f"{_STAGED}/sources.yml": _join(_render_sources(kinds)),
        f"{_STAGED}/models.yml": _join(_render_models(kinds)),
        **{f"{_STAGED}/stg_{kind.name}.sql": _render_sql(kind) for kind in kinds},
    }
    return DerivedFiles(project, texts, (_TOLD, f"{_STAGED}/*"))


def _render_sources(record_types: Collection[RecordType]) -> Iterator[str]:
    """Every table of records; that none come is odd of those events alone that are of a thing and no plans."""
    timed = {events for kind in record_types for events in kind.described_events}
    yield from (f"# {_SAID}", "version: 2", "", "sources:")
    yield from _SOURCE
    for kind in record_types:
        is_timed = kind.name in timed and not kind.is_planned
        yield from _render_source(kind, kind.name, kind.description, has_freshness=is_timed)
        if kind.name == "observation":
            yield from _render_source(kind, BEFORE, _BEFORE, has_freshness=False)


def _render_source(kind: RecordType, name: str, description: str, *, has_freshness: bool) -> Iterator[str]:
    yield f"      - name: {name}"
    yield f"        description: {_quote(f'{description} All revisions.')}"
    if not has_freshness:
        yield "        config: {freshness: null}"
    yield "        columns:"
    told = [(column.name, column.description) for column in kind.columns]
    added = [(name, added.description) for name, added in PROVENANCE.items()]
    yield from _render_columns([*told, *added], " " * 10)


def _render_models(record_types: Iterable[RecordType]) -> Iterator[str]:
    yield from (f"# {_SAID}", "version: 2", "", "models:")
    for kind in record_types:
        name, key = f"stg_{kind.name}", ["source", *(_name_staged(kind, column) for column in kind.key)]
        grain = ["source", *(kind.grain or [kind.name.replace("_", " ")])]
        if kind.has_versions:
            key, grain = [*key, "revision"], [*grain, "revision"]
        rest = "." if kind.has_versions else ": its current revision."
        guarded = (
            f"No two rows of {name} have the same {_enumerate(key)}: "
            "a second one would multiply what is made of it."
        )
        yield f"  - name: {name}"
        yield f"    description: {_quote(f'One row per {_enumerate(grain)}{rest}')}"
        yield "    data_tests:"
        yield f"      - unique_combination: {{name: a_row_of_{name}_is_there_once,"
        yield f"          description: {_quote(guarded)},"
        yield f"          arguments: {{columns: [{', '.join(key)}]}}, config: {{tags: [project]}}}}"
        yield "    columns:"
        yield from _render_columns([(_name(column), said) for column, said in _list_staged(kind)], " " * 6)


def _render_sql(kind: RecordType) -> str:
    columns = ",\n        ".join(column for column, _ in _list_staged(kind))
    key = ", ".join(f"'{column}'" for column in ("source", *kind.key))
    of, materialised, current = "source", "", ""
    if not kind.has_versions:
        of, materialised = "current_records", "not materialized "
        current = f"current_records as (\n    {{{{ current_revision('source', [{key}]) }}}}\n),\n\n"
    return (  # names of our own contracts
        f"{{#- {_SAID} -#}}\n"  # noqa: S608
        f"with source as {materialised}(\n    select * from {{{{ source('records', '{kind.name}') }}}}\n),\n\n"
        f"{current}final as (\n    select\n        {columns}\n    from {of}\n)\n\nselect * from final\n"
    )


def _render_told(record_types: Iterable[RecordType]) -> str:
    """A macro with the columns that models of things merge, by record type."""
    lines = [
        "{#-",
        f"    {_SAID}",
        "",
        "    What is told of things, besides their keys and where they are.",
        "-#}",
    ]
    lines += ["{% macro told_columns(record_type) -%}", "{{ return({"]
    for kind in record_types:
        if kind.event_time is None:
            columns = ", ".join(f"'{column.staged_as or column.name}'" for column in kind.told_columns)
            lines.append(f"    '{kind.name}': [")
            lines += textwrap.wrap(columns, 100, initial_indent=" " * 8, subsequent_indent=" " * 8)
            lines.append("    ],")
    return _join([*lines, "}[record_type]) }}", "{%- endmacro %}"])


def _list_staged(kind: RecordType) -> list[_Described]:
    """What staging selects of a record type, as SQL, with its meaning."""
    staged = [("source", PROVENANCE["source"].description)]
    for column in kind.columns:
        renamed = f"{column.name} as {column.staged_as}" if column.staged_as else column.name
        staged.append((renamed, column.description))
    if kind.has_versions:
        said = "Whether the source no longer has it since this revision."
        staged.append(("coalesce(deleted, false) as is_deleted", said))
    if kind.event_time is not None:
        staged.append(("day", PROVENANCE["day"].description.partition(";")[0] + "."))
    added = ["received_at", "revision", *(["payload"] if kind.event_time is not None else []), "run_id"]
    return [*staged, *((name, PROVENANCE[name].description) for name in added)]


def _name_staged(kind: RecordType, column: str) -> str:
    return kind.get_column(column).staged_as or column


def _name(selected: str) -> str:
    return selected.rpartition(" ")[2]


def _render_columns(columns: Sequence[_Described], indent: str) -> Iterator[str]:
    for name, description in columns:
        yield f"{indent}- {{name: {name}, description: {_quote(description)}}}"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _enumerate(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]])


def _join(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
