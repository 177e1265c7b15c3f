"""A look at what was made: the first lines of each shared model in a workspace.

For people in the Dagster UI; nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from civitas_assets.harmonise.project import Project
from civitas_assets.harmonise.workspace import Workspace
from civitas_assets.harmonise.workspace_tables import SHARED_SCHEMA

_ROWS = 3


@dataclass(frozen=True)
class Preview:
    """Names of columns, and the first rows as text."""

    columns: Sequence[str]
    first: Sequence[Sequence[str]]


def read_previews(project: Project, workspace: Workspace, rows: Mapping[str, int]) -> Mapping[str, Preview]:
    """A preview of every shared model; `rows` are those of the models that were made."""
    found = {}
    with duckdb.connect(str(workspace.database), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name in project.models:
            if not rows.get(name):
                found[name] = Preview((), ())
                continue
            cursor = connection.execute(f'select * from {SHARED_SCHEMA}."{name}" limit {_ROWS}')  # noqa: S608
            columns = [column[0] for column in cursor.description or ()]
            first = [["" if cell is None else str(cell) for cell in row] for row in cursor.fetchall()]
            found[name] = Preview(columns, first)
    return found
