"""Homes that are worked on by runs in processes of their own, and what must be true of one whatever was done to it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from civitas_assets.catalog import load_catalog
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.retention import apply_retention
from civitas_assets.store.stores import Stores

SLUG = "stadt"
# What says by whom a row was made, which differs between two homes, and where the clock is stepped also when.
_RUN = frozenset({"run_id"})
_CLOCK = re.compile(r"_at$|^valid_|^day$|quality|^is_|_count$")


class Nursery:
    """Starts runs, and says how they ended."""

    def __init__(self, prepared: Path) -> None:
        self._prepared = prepared
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("nursery.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if not os.environ.get("STORM_LOG") else None,
            text=True,
            env={**os.environ, "POLARS_MAX_THREADS": "2", "OPENBLAS_NUM_THREADS": "1"},
        )

    def start(self, **order: Any) -> int:
        """Begin a run; its process id."""
        return int(self._ask({**order, "prepared": str(self._prepared)}))

    def wait(self, pid: int) -> int:
        """How the run ended: 0 where nothing failed, negative by a signal."""
        return int(self._ask({"wait": pid}))

    def _ask(self, order: dict[str, Any]) -> str:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@dataclass
class Home:
    """The deployment of one town in a folder."""

    folder: Path
    nursery: Nursery
    runs: int = 0

    def begin(self, now: datetime, hit: dict[str, Any] | None = None, **more: Any) -> int:
        """Start a run."""
        self.runs += 1
        return self.nursery.start(
            home=str(self.folder / "home"),
            tenants=str(self.folder / "tenants"),
            now=now.isoformat(),
            run_id=f"run{self.runs}",
            hit=hit,
            **more,
        )

    def run(self, now: datetime, hit: dict[str, Any] | None = None, **more: Any) -> int:
        """A run to its end, whichever that is."""
        return self.nursery.wait(self.begin(now, hit, **more))

    def is_stopped(self, pid: int, patience: float = 60.0) -> bool:
        """Whether a run stands still; not so where it ends before it comes to that."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
            if state in "TZ":
                return state == "T"
            time.sleep(0.005)
        raise TimeoutError(f"process {pid} neither stops nor ends")

    def go_on(self, pid: int) -> int:
        """Let a run go on that stands still, to its end."""
        os.kill(pid, signal.SIGCONT)
        return self.nursery.wait(pid)

    def tables(self, *, by_clock: bool = True) -> dict[str, list[Any]]:
        """All that is published; without what clocks say, if they were stepped."""
        file = self.folder / "home" / "published" / SLUG / f"{SLUG}_db.duckdb"
        with duckdb.connect(str(file), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            columns = connection.execute(
                "select table_name, list(column_name order by column_index) from duckdb_columns()"
                " where schema_name = 'main' and not internal group by 1 order by 1"
            ).fetchall()
            found = {}
            for table, names in columns:
                kept = [n for n in names if n not in _RUN and (by_clock or not _CLOCK.search(n))]
                named = ", ".join(f'"{name}"' for name in kept)
                found[table] = connection.execute(f'select {named} from "{table}" order by all').fetchall()  # noqa: S608
            return found

    def orphans(self) -> Iterator[str]:
        """Files that nothing leads to once retention has looked, and notes of what is still to be done."""
        home = self.folder / "home"
        files = LocalFiles(home)
        tenant = load_catalog(self.folder / "tenants", SOURCE_MODELS).tenant(SLUG)
        stores = Stores.of(files, SLUG)
        apply_retention(tenant, stores, datetime.now(UTC) + timedelta(days=2))
        for path in home.rglob("*"):
            inside = path.relative_to(home).as_posix()
            if path.is_file() and (path.name.startswith(".") or inside.startswith("workspaces/")):
                yield inside
        for source in tenant.sources:
            landing = SourceLanding(files, SLUG, source)
            named = {line.sha256 for manifest in landing.manifests() for line in manifest.lines}
            yield from (f"body {digest}" for digest in landing.sizes().keys() - named)
        if stores.journal.pending():
            yield "the journal has notes"
        yield from files.keys("commons/pending/")
