"""Dagster's instances as they are deployed, for tests and measurements: on SQLite files, and on PostgreSQL.

The configuration is that of `deploy`; only where things lie is given here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import psycopg

from civitas_assets.settings import PROJECT_DIR


@dataclass(frozen=True)
class History:
    """An instance, where it lies, and how many bytes its history has."""

    instance: dg.DagsterInstance
    home: Path
    url: str

    def content(self) -> bytes:
        """Everything that is kept of runs and events."""
        kept = b"".join(file.read_bytes() for file in self.home.rglob("*") if file.is_file())
        if self.url:
            with psycopg.connect(self.url) as connection:
                for table in ("event_logs", "runs", "asset_keys", "asset_check_executions", "run_tags"):
                    copy = f"copy {table} to stdout"
                    with connection.cursor() as cursor, cursor.copy(copy) as rows:
                        kept += b"".join(bytes(row) for row in rows)
        return kept

    def size(self) -> int:
        """Bytes on disk."""
        if self.url:
            with psycopg.connect(self.url) as connection:
                found = connection.execute("select pg_database_size(current_database())").fetchone()
                assert found
                return int(found[0])
        return sum(file.stat().st_size for file in (self.home / "history").rglob("*") if file.is_file())


@contextmanager
def history(home: Path, url: str = "") -> Iterator[History]:
    """The instance of `deploy/dagster.yaml`, or with a database's URL that of `deploy/dagster-postgres.yaml`."""
    name = "dagster-postgres.yaml" if url else "dagster.yaml"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT_DIR / "deploy" / name, home / "dagster.yaml")
    given = {"CIVITAS_DAGSTER_URL": url, "DAGSTER_HOME": str(home)}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        with dg.DagsterInstance.from_config(str(home)) as instance:
            yield History(instance, home, url)
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
