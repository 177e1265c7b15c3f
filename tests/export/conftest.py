"""A published file with empty tables as the contracts have them, rows that a test puts there, and what is exported."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import msgspec
import pytest
import yaml

from civitas_assets.dictionary.contracts import read_contracts
from civitas_assets.export.export_vocabulary import ExportVocabulary
from civitas_assets.export.formats import Format, export_model
from civitas_assets.export.selection import DaySpan
from civitas_assets.harmonise.project import Project
from civitas_assets.settings import PROJECT_DIR, Settings
from tests.connectors.conftest import read, records, source  # noqa: F401 - fixtures

DBT_PROJECT = PROJECT_DIR / "dbt_project"
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class Town:
    """A tenant with published tables."""

    settings: Settings

    @property
    def file(self) -> Path:
        return self.settings.published / "town" / "town_db.duckdb"

    def put(self, model: str, *rows: dict[str, Any]) -> None:
        """Add rows; columns that are not said are null. Things are in force since ever."""
        if model in {"charge_point", "parking_site", "sharing_station", "station"}:
            self.put(f"{model}_history", *({"version": 1, **row} for row in rows))
        with duckdb.connect(str(self.file)) as connection:
            for row in rows:
                places = ", ".join("?" * len(row))
                statement = f'insert into "{model}" ({", ".join(row)}) values ({places})'  # noqa: S608
                connection.execute(statement, [*row.values()])

    def multiply(self, model: str, times: int) -> None:
        """So many of each row."""
        with duckdb.connect(str(self.file)) as connection:
            rows = f'select made.* from "{model}" as made, range({times} - 1)'  # noqa: S608
            connection.execute(f'insert into "{model}" {rows}')

    def follow(self, model: str, project: Project) -> None:
        """Say in the file which contract a model follows."""
        contract = read_contracts(project)[model]
        content = msgspec.json.encode({model: contract}).decode()
        with duckdb.connect(str(self.file)) as connection:
            connection.execute("create schema meta")
            connection.execute("create table meta.publication as select ? as contracts", [content])

    def export(self, model: str, form: Format, span: DaySpan | None = None, **options: Any) -> bytes:
        """What comes to standard output."""
        sink = io.BytesIO()
        export_model(self.settings, "town", model, form, span=span, standard_output=sink, **options)
        return sink.getvalue()


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the table of every shared model."""
    file = tmp_path_factory.mktemp("empty") / "empty.duckdb"
    with duckdb.connect(str(file)) as connection:
        for contract in sorted((DBT_PROJECT / "models" / "shared").rglob("*.yml")):
            for model in yaml.safe_load(contract.read_text(encoding="utf-8"))["models"]:
                columns = ", ".join(
                    f'"{column["name"]}" {column["data_type"]}' for column in model["columns"]
                )
                connection.execute(f'create table "{model["name"]}" ({columns})')
    return file


@pytest.fixture
def town(tmp_path: Path, empty: Path) -> Town:
    """A town without any row."""
    made = Town(Settings(home=tmp_path))
    made.file.parent.mkdir(parents=True)
    shutil.copyfile(empty, made.file)
    return made


@pytest.fixture(scope="session")
def vocabulary() -> ExportVocabulary:
    """That of the seeds."""
    return ExportVocabulary.read(DBT_PROJECT)


@pytest.fixture
def days() -> Callable[..., DaySpan]:
    """Days in Berlin."""
    return lambda first=None, last=None: DaySpan(first, last, BERLIN)
