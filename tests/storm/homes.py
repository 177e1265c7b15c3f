"""Homes that are worked on by runs in processes of their own, and what must be true of one whatever was done to it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import duckdb
import psycopg
from psycopg.sql import SQL, Identifier

from civitas_assets.catalog import load_catalog
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.publish.duckdb.published_files import PublishedFiles
from civitas_assets.store.files import Files, LocalFiles
from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.objects import ObjectFiles
from civitas_assets.store.retention import apply_retention
from civitas_assets.store.stores import Stores
from testbed.objects import BUCKET, ObjectServer
from testbed.postgres import Server
from tests.storm.wire import Wire

SLUG = "stadt"
Tables = dict[str, list[Any]]  # rows, the first of which has the names of columns
_Found = tuple[tuple[str, ...], list[Any]]
_Kept = Callable[[list[str]], list[str]]
# What says by whom a row was made, which differs between two homes, and where the clock is stepped also when.
_RUN = frozenset({"run_id"})
_CLOCK = re.compile(r"_at$|^valid_|^day$|quality|^is_|_count$")
# What is written under a name of its own each time, or of which a disturbed home has more.
_NUMBERED = re.compile(r"(/manifests/|/bodies/|^nights/[^/]+/).*")


class Nursery:
    """Starts runs, and says how they ended."""

    def __init__(self, prepared: Path, environment: dict[str, str]) -> None:
        self._prepared = prepared
        self._words = TemporaryFile()  # noqa: SIM115 - until it is closed with the process
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("nursery.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            text=True,
            env={**os.environ, **environment, "POLARS_MAX_THREADS": "2", "OPENBLAS_NUM_THREADS": "1"},
        )

    def start(self, **order: Any) -> int:
        """Begin a run; its process id."""
        return int(self._ask({**order, "prepared": str(self._prepared)}))

    def wait(self, pid: int) -> int:
        """How the run ended: 0 where nothing failed, negative by a signal."""
        return int(self._ask({"wait": pid}))

    def read_words(self) -> str:
        """The last of what runs have said to their errors."""
        size = self._words.seek(0, os.SEEK_END)
        return os.pread(self._words.fileno(), 4000, max(0, size - 4000)).decode(errors="replace")

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
        self._words.close()


@dataclass
class Database:
    """A database of a home's own on a server that may be crashed; runs reach it over a wire."""

    server: Server
    wire: Wire
    name: str

    def url(self, server: str) -> str:
        return server.rpartition("/")[0] + f"/{self.name}"

    def ask(self, statement: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url(self.server.url), options="-c timezone=UTC") as connection:
            return connection.execute(statement).fetchall()


@dataclass
class Home:
    """The deployment of one town: landing and records in a folder or a bucket, tables in a file or a database."""

    folder: Path
    nursery: Nursery
    objects: ObjectServer | None = None
    database: Database | None = None
    on_begin: list[Callable[[int], None]] = field(default_factory=list)
    runs: int = 0

    @property
    def storage(self) -> str:
        """The part of the bucket that is its own."""
        return f"s3://{BUCKET}/{self.folder.name}"

    @property
    def files(self) -> Files:
        """Landing and records."""
        return ObjectFiles(self.storage) if self.objects else LocalFiles(self.folder / "home")

    def begin(
        self, now: datetime, hit: dict[str, Any] | None = None, machine: str = "home", **more: Any
    ) -> int:
        """Start a run, on the machine whose folder that is."""
        self.runs += 1
        pid = self.nursery.start(
            home=str(self.folder / machine),
            tenants=str(self.folder / "tenants"),
            now=now.isoformat(),
            run_id=f"run{self.runs}",
            hit=hit,
            storage=self.storage if self.objects else "",
            postgres=self.database.url(self.database.wire.url) if self.database else None,
            **more,
        )
        while self.on_begin:
            self.on_begin.pop()(pid)
        return pid

    def run(self, now: datetime, hit: dict[str, Any] | None = None, **more: Any) -> int:
        """A run to its end, whichever that is; a lease that it leaves has expired afterwards."""
        return self.wait(self.begin(now, hit, **more))

    def run_well(self, now: datetime) -> None:
        """A run in which nothing may fail."""
        code = self.run(now)
        assert code == 0, f"run{self.runs} ended with {code}: {self.nursery.read_words()}"

    def wait(self, pid: int) -> int:
        """How a run ends."""
        code = self.nursery.wait(pid)
        if code:
            self.let_leases_expire()
        return code

    def let_leases_expire(self) -> None:
        """As if a quarter of an hour had passed since they were renewed."""
        if self.objects:
            self.objects.age(f"{self.folder.name}/locks/", timedelta(minutes=15))

    def is_stopped(self, pid: int, patience: float = 120.0) -> bool:
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
        return self.wait(pid)

    def tables(self, *, by_clock: bool = True) -> Tables:
        """All that is published, in one order; without what clocks say, if they were stepped."""

        def kept(names: list[str]) -> list[str]:
            return sorted(n for n in names if n not in _RUN and (by_clock or not _CLOCK.search(n)))

        rows = self._rows_of_database(kept) if self.database else self._rows_of_file(kept)
        return {table: [names, *sorted(found, key=repr)] for table, (names, found) in rows.items()}

    def _rows_of_file(self, kept: _Kept) -> Mapping[str, _Found]:
        objects = ObjectFiles(self.storage) if self.objects else None
        with PublishedFiles(self.folder / "home" / "published", objects).find(SLUG).open_current() as file:
            connection = duckdb.connect(str(file), read_only=True)
        with connection:
            connection.execute("set TimeZone = 'UTC'")
            columns = connection.execute(
                "select table_name, list(column_name) from duckdb_columns()"
                " where schema_name = 'main' and not internal group by 1"
            ).fetchall()
            found = {}
            for table, names in columns:
                chosen = kept(names)
                named = ", ".join(f'"{name}"' for name in chosen)
                rows = connection.execute(f'select {named} from "{table}"').fetchall()  # noqa: S608
                found[table] = tuple(chosen), rows
            return found

    def _rows_of_database(self, kept: _Kept) -> Mapping[str, _Found]:
        assert self.database
        columns = self.database.ask(
            "select table_name::text, array_agg(column_name::text) from information_schema.columns"
            " where table_schema = 'stadt' and left(table_name, 1) <> '_' group by 1"
        )
        found = {}
        for table, names in columns:
            chosen = kept(names)
            named = SQL(", ").join(map(Identifier, chosen))
            found[table] = (
                tuple(chosen),
                self.database.ask(SQL("select {} from {}").format(named, Identifier(SLUG, table))),
            )
        return found

    def places(self) -> set[str]:
        """The names of all files and objects, but for what is numbered."""
        found = self.objects.list_keys(f"{self.folder.name}/") if self.objects else set[str]()
        for machine in self.folder.iterdir():
            if machine.name != "tenants":
                found |= {
                    path.relative_to(machine).as_posix() for path in machine.rglob("*") if path.is_file()
                }
        return {_NUMBERED.sub(r"\1", name) for name in found}

    def orphans(self, calm: set[str]) -> Iterator[str]:
        """What nothing leads to once a run's and retention's turn was, and notes of what is still to be done.

        Whatever a home that was never disturbed has is no orphan.
        """
        files = self.files
        tenant = load_catalog(self.folder / "tenants", SOURCE_MODELS).get_tenant(SLUG)
        stores = Stores.for_tenant(files, SLUG)
        apply_retention(tenant, stores, datetime.now(UTC) + timedelta(days=2))
        for place in self.places() - calm:
            known = place.startswith(("aside/", "published/", "locks/stadt.", "locks/commons."))
            if not known and not place.endswith(
                "/repeats.json"
            ):  # which bodies came again here, and never there
                yield place
        for source in tenant.sources:
            landing = SourceLanding(files, SLUG, source)
            named = {line.sha256 for manifest in landing.list_manifests() for line in manifest.lines}
            yield from (f"body {digest}" for digest in landing.list_sizes().keys() - named)
        if stores.journal.read_pending():
            yield "the journal has notes"
        if self.database:
            yield from self._orphans_of_database()

    def _orphans_of_database(self) -> Iterator[str]:
        assert self.database
        held = "select relname::text from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = "
        left = self.database.ask(
            f"{held}'{SLUG}:rebuild' and relkind in ('r', 'p') and relname <> '_publication'"
        )
        yield from (f"{SLUG}:rebuild has {name}" for (name,) in left)
        # Which runs there were stays: their numbers are of nobody, and to look for rows of each would be to read all.
        for (name,) in self.database.ask(f"{held}'{SLUG}' and relname ~ '_label$' and relkind = 'r'"):
            table = name.removesuffix("_label")
            unused = self.database.ask(
                f'select count(*) from {SLUG}."{name}" l where not exists'  # noqa: S608
                f' (select from {SLUG}."{table}" f where f._label = l.id)'
            )
            if unused != [(0,)]:
                yield f"{name} has {unused[0][0]} rows that nothing refers to"
