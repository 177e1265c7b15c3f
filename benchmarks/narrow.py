"""The narrow form of observations in PostgreSQL against the wide one, interleaved on one server.

Bytes of a row with indexes and what is numbered, publishing a day, and what analysts ask: worked out by the server
without the timing of each step, and fetched by a client.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import adbc_driver_postgresql.dbapi as adbc
import psycopg
from pydantic import SecretStr

from benchmarks.destinations import LAST, benchmark_days, benchmark_project, benchmark_workspace
from benchmarks.town import Figures
from civitas_assets.publish.postgres import postgres_changes, postgres_following, postgres_session
from civitas_assets.publish.postgres.postgres import PostgresDestination
from civitas_assets.publish.postgres.postgres_server import Server
from testbed.postgres import postgres

_ROWS = 1_000_000
_ROUNDS = 5
_PARTS = {
    "series": "datastream_key = 'counters:1042'",
    "month": "day between '2026-06-01' and '2026-06-30'",
    "hour": "date_trunc('hour', phenomenon_start_at)",
}
QUERIES = {
    "one series over a month": "select phenomenon_start_at, value from {table} where {series} and {month} order by 1",
    "one series over a month, by time": "select phenomenon_start_at, value from {table} where {series}"
    " and phenomenon_start_at >= '2026-06-01' and phenomenon_start_at < '2026-07-01' order by 1",
    "a day of all": "select * from {table} where day = '2026-06-11'",
    "a day of a property": "select station_key, phenomenon_start_at, value from {table} where day = '2026-06-11'"
    " and observed_property = 'traffic.bicycle_count' and quality_code in ('good', 'provisional')",
    "hourly means of a series": "select {hour}, avg(value) from {table} where {series} and {month} group by 1",
    "hourly means of a station": "select {hour}, avg(value) from {table}"
    " where station_key = 'counters:station-7' and {month} group by 1",
    "hourly means of all": "select datastream_key, {hour}, avg(value) from {table} where {month} group by 1, 2",
    "daily means of all days": "select datastream_key, day, avg(value) from {table} group by 1, 2",
    "latest of a series": "select value from {table} where {series} order by phenomenon_start_at desc limit 1",
    "latest of a series within a week": "select value from {table} where {series} and day > '2026-07-24'"
    " order by phenomenon_start_at desc limit 1",
    "a month with all columns": "select * from {table} where {month}",
}


@contextmanager
def _wide() -> Iterator[None]:
    """Publish as versions did that knew the wide form alone."""
    with ExitStack() as stack:
        for module in (postgres_following, postgres_changes, postgres_session):
            stack.enter_context(patch.object(module, "make_narrow_layout", lambda layout: layout))
        yield


_FORMS: Mapping[str, Callable[[], Any]] = {"wide": _wide, "narrow": nullcontext}


def wide_and_narrow(folder: Path) -> Figures:
    """A million observations in both forms: bytes, publishing them and single days, and queries; ratios count."""
    project, days = benchmark_project(folder), benchmark_days(_ROWS)
    figures: Figures = {}
    with postgres(settings=("fsync=on", "max_wal_size=8GB", "shared_buffers=512MB")) as url:
        towns = {form: PostgresDestination(Server(SecretStr(url)), f"{form}town") for form in _FORMS}
        seconds: dict[str, dict[str, list[float]]] = {}

        def publish(what: str, workspace: Any, order: list[str]) -> None:
            for form in order:
                with _FORMS[form]():
                    publication = towns[form].publish(project, workspace, "benchmark")
                seconds.setdefault(what, {}).setdefault(form, []).append(publication.seconds)
                figures.setdefault(f"bytes per row, {form}", publication.bytes / _ROWS)

        publish("everything", benchmark_workspace(folder, project, days, rebuild=True), [*_FORMS])
        for number in range(_ROUNDS):
            order = [*_FORMS] if number % 2 else [*_FORMS][::-1]
            replaced, new = days[len(days) // 2 + number], LAST + timedelta(days=1 + number)
            publish("a day replaced", benchmark_workspace(folder, project, [replaced]), order)
            publish("a new day", benchmark_workspace(folder, project, [new]), order)
        for what, by_form in seconds.items():
            figures[f"seconds, {what}"] = median(by_form["narrow"])
            figures[f"ratio, {what}"] = median(by_form["narrow"]) / median(by_form["wide"])
        with (
            psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as server,
            adbc.connect(url) as connection,
            connection.cursor() as client,
        ):
            server.execute("vacuum analyze")
            for name, query in QUERIES.items():
                best = {form: (float("inf"), float("inf")) for form in _FORMS}
                for _ in range(_ROUNDS):
                    for form in _FORMS:
                        asked = query.format(table=f"{form}town.observation", **_PARTS)
                        times = _explained(server, asked), _fetched(client, asked)
                        best[form] = min(best[form][0], times[0]), min(best[form][1], times[1])
                (wide, fetched_wide), (narrow, fetched) = best["wide"], best["narrow"]
                figures[f"milliseconds, {name}"] = narrow
                figures[f"ratio, {name}"] = narrow / wide
                figures[f"ratio of fetching, {name}"] = fetched / fetched_wide
    return figures


def _explained(server: psycopg.Connection, query: str) -> float:
    """Milliseconds of planning and executing on the server."""
    row = server.execute(f"explain (analyze, timing off, format json) {query}".encode()).fetchone()
    plan = row[0][0] if row else {}
    return float(plan["Planning Time"]) + float(plan["Execution Time"])


def _fetched(client: adbc.Cursor, query: str) -> float:
    """Milliseconds until a client has the answer."""
    started = time.perf_counter()
    client.execute(query)
    client.fetch_arrow_table()
    return (time.perf_counter() - started) * 1000
