"""The scenarios: each prepares its input, measures one thing, and returns figures by name.

Called as `python -m benchmarks.scenarios <name>[=<size>] <folder>`, so that memory is that of one scenario alone.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

import duckdb
import msgspec
import polars as pl

from benchmarks.announcing import catalogue_of_500_tenants
from benchmarks.commons import commons_in_duckdb, commons_in_postgres
from benchmarks.data import FEATURES, OBSERVATIONS, counter_csv, feature_collection, observation_pages
from benchmarks.destinations import publish_a_day_to_duckdb, publish_a_day_to_postgres, publish_to_postgres
from benchmarks.discovering import discover_in_catalogues
from benchmarks.fetching import fetch_data_arrays, fetch_flat
from benchmarks.many_towns import code_location_of_500_tenants, quiet_night_of_tenants
from benchmarks.narrow import wide_and_narrow
from benchmarks.nights import night_of_tenants
from benchmarks.pages import morning_page
from benchmarks.queue import drain_queue
from benchmarks.reading import read_samples
from benchmarks.sensor_nights import large_csv, sensor_nights
from benchmarks.shell import help_of_the_command, start_of_a_query, status_of_200_tenants
from benchmarks.sinking import fill_sensorthings
from benchmarks.timetable import transit_feed
from benchmarks.town import NOW, Figures, tenant_of
from benchmarks.ui import (
    development_server,
    first_page_of_the_browser,
    graph_of_500_tenants,
    health_of_500_tenants,
)
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.harmonise.build import build_models
from civitas_assets.harmonise.prepare import prepare_project
from civitas_assets.harmonise.task import plan_task
from civitas_assets.harmonise.workspace import make_workspace
from civitas_assets.ingest.read_all import read_sources
from civitas_assets.ingest.reports import ReadReport
from civitas_assets.publish.destinations import make_destination
from civitas_assets.settings import Settings
from civitas_assets.store.addresses import Line
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.stores import Stores
from testbed.serving import Request, answer, serving


def _land(files: LocalFiles, source: str, role: str, bodies: Iterable[tuple[str, bytes]]) -> int:
    landing, lines, size = SourceLanding(files, "messstadt", source), [], 0
    for number, (datastream, body) in enumerate(bodies):
        size += len(body)
        lines.append(
            Line(
                url=f"http://127.0.0.1/{source}/{number}",
                state="stored",
                status=200,
                fetched_at=NOW,
                config="",
                sha256=landing.store(body),
                bytes=len(body),
                role=role,
                variables={"datastream_id": datastream},
            )
        )
    landing.write_manifest(lines)
    return size


def _read(
    folder: Path, source: str, role: str, bodies: Iterable[tuple[str, bytes]]
) -> tuple[ReadReport, Figures]:
    tenant, files = tenant_of(folder), LocalFiles(folder / "home")
    size = _land(files, source, role, bodies)
    started = time.perf_counter()
    (report,) = read_sources(
        tenant,
        {source: tenant.sources[source]},
        CONNECTORS,
        Stores.for_tenant(files, tenant.slug),
        "benchmark",
    )
    seconds = time.perf_counter() - started
    assert report.ok, report.errors
    return report, {"seconds": seconds, "input_mb": size / 1e6}


def _observations(folder: Path, source: str, role: str, bodies: Iterable[tuple[str, bytes]]) -> Figures:
    report, figures = _read(folder, source, role, bodies)
    assert report.counts["observation"].new == OBSERVATIONS
    return {"records_per_second": OBSERVATIONS / figures["seconds"], **figures}


def csv_to_records(folder: Path) -> Figures:
    """A million counts from landing into the record store."""
    return _observations(folder, "counters", "data", [("", counter_csv())])


def csv_floor(folder: Path) -> Figures:
    """The same file read and written as one Parquet file, without contract, comparison or days."""
    body = counter_csv()
    started = time.perf_counter()
    wide = pl.read_csv(body, infer_schema=False)
    long = wide.unpivot(index="Datetime", variable_name="datastream", value_name="value")
    typed = long.with_columns(
        pl.col("Datetime").str.strptime(pl.Datetime("us"), "%Y-%m-%d %H:%M"), pl.col("value").cast(pl.Float64)
    )
    typed.write_parquet(folder / "floor.parquet", compression="zstd", compression_level=1)
    seconds = time.perf_counter() - started
    return {"records_per_second": typed.height / seconds, "seconds": seconds}


def data_arrays_to_records(folder: Path) -> Figures:
    """A million observations in dataArray pages of 1,000, from bytes into the record store."""
    return _observations(folder, "sensors", "observations", observation_pages(compact=True))


def flat_pages_to_records(folder: Path) -> Figures:
    """A million observations in plain pages of 1,000, from bytes into the record store."""
    return _observations(folder, "sensors", "observations", observation_pages(compact=False))


def flat_floor(folder: Path) -> Figures:
    """The same plain pages decoded by msgspec into untyped objects, and nothing else."""
    del folder
    bodies = [body for _, body in observation_pages(compact=False)]
    started = time.perf_counter()
    rows = sum(len(msgspec.json.decode(body)["value"]) for body in bodies)
    seconds = time.perf_counter() - started
    return {"records_per_second": rows / seconds, "seconds": seconds}


def features_to_records(folder: Path) -> Figures:
    """200,000 GeoJSON features from the landed body into the record store."""
    report, figures = _read(folder, "places", "data", [("", feature_collection())])
    assert report.counts["parking_site"].new == FEATURES
    return {"records_per_second": FEATURES / figures["seconds"], **figures}


def features_floor(folder: Path) -> Figures:
    """The same features decoded by msgspec into untyped objects, and nothing else."""
    del folder
    body = feature_collection()
    started = time.perf_counter()
    rows = len(msgspec.json.decode(body)["features"])
    seconds = time.perf_counter() - started
    return {"records_per_second": rows / seconds, "seconds": seconds}


def harmonise_and_publish(folder: Path) -> Figures:
    """A million new observations from the record store through dbt and its tests into the published file."""
    csv_to_records(folder)
    settings = Settings(home=folder / "home")
    tenant, stores, project = (
        tenant_of(folder),
        Stores.for_tenant(LocalFiles(settings.home), "messstadt"),
        prepare_project(settings),
    )
    destination = make_destination(settings, tenant.slug, "duckdb")
    floor = _copy(folder)
    started, spent = time.perf_counter(), time.process_time()
    task = plan_task(stores, rebuild=bool(destination.plan_migration(project).reasons))
    assert task is not None
    workspace = make_workspace(
        settings.workspaces / "run", project, tenant, stores, task, limits=settings.limits
    )
    filled = time.perf_counter()
    results = build_models(project, workspace, tenant.slug, limits=settings.limits)
    built = time.perf_counter()
    assert all(result.ok for result in results), [r for r in results if not r.ok]
    publication = destination.publish(project, workspace, "benchmark")
    seconds, cpu = time.perf_counter() - started, time.process_time() - spent
    assert publication.rows["observation"] == OBSERVATIONS
    slowest = sorted(results, key=lambda result: -result.seconds)[:6]
    figures = {f"dbt: {result.name}": result.seconds for result in slowest}
    return {
        "seconds": seconds,
        "cpu_seconds": cpu,
        **{f"copy floor: {name}": figure for name, figure in floor.items()},
        "nodes": float(len(results)),
        "fill workspace": filled - started,
        "dbt build": built - filled,
        "publish": publication.seconds,
        **figures,
    }


def one_day_of_a_small_tenant(folder: Path) -> Figures:
    """The harmonising part of a run that one day of ten thousand observations affects."""
    csv_to_records(folder)
    settings = Settings(home=folder / "home")
    tenant, stores, project = (
        tenant_of(folder),
        Stores.for_tenant(LocalFiles(settings.home), "messstadt"),
        prepare_project(settings),
    )
    everything = plan_task(stores, rebuild=True)
    assert everything is not None
    task = msgspec.structs.replace(everything, days=everything.days[:1], rebuild=False)
    workspace = make_workspace(
        settings.workspaces / "run", project, tenant, stores, task, limits=settings.limits
    )
    started = time.perf_counter()
    spent = time.process_time()
    results = build_models(project, workspace, tenant.slug, limits=settings.limits)
    assert all(result.ok for result in results), [r for r in results if not r.ok]
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - spent,
        "nodes": float(len(results)),
    }


def copy_floor(folder: Path) -> Figures:
    """A million rows of the same width written by DuckDB from Parquet into one table."""
    csv_to_records(folder)
    return _copy(folder)


def _copy(folder: Path) -> Figures:
    files = [
        str(path) for path in (folder / "home" / "records" / "messstadt" / "observation").glob("*.parquet")
    ]
    started, spent = time.perf_counter(), time.process_time()
    with duckdb.connect(str(folder / "floor.duckdb")) as connection:
        connection.execute("create table t as select * from read_parquet(?)", [files])
    return {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - spent}


def unchanged_night(folder: Path) -> Figures:
    """`civitas run` for one tenant whose sources answer 304: processor time of the whole command."""

    def give_the_same(request: Request) -> None:
        found = {"/counter.csv": b"Datetime,1 (A)\n2025-01-01 00:00,3\n", "/v1.1/Things": b'{"value":[]}'}
        body = found.get(request.path.partition("?")[0], b'{"type":"FeatureCollection","features":[]}')
        unchanged = request.headers.get("If-None-Match") == '"same"'
        answer(request, b"" if unchanged else body, 304 if unchanged else 200, ETag='"same"')

    with serving(give_the_same) as port:
        tenant_of(folder, port)
        environment = {
            **os.environ,
            "CIVITAS_HOME": str(folder / "home"),
            "CIVITAS_TENANTS_DIR": str(folder / "tenants"),
            "DAGSTER_HOME": "",
        }
        command = [sys.executable, "-m", "civitas_assets.cli", "run", "--sources", "counters,sensors,places"]
        for _ in range(2):  # the first night fetches, the second finds the instance as it will be every night
            subprocess.run(command, env=environment, check=True, capture_output=True)
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, env=environment, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_seconds": cpu, "seconds": time.perf_counter() - started}


SCENARIOS: dict[str, Callable[..., Figures]] = {
    function.__name__: function
    for function in (
        csv_to_records,
        csv_floor,
        data_arrays_to_records,
        flat_pages_to_records,
        flat_floor,
        features_to_records,
        features_floor,
        read_samples,
        fetch_flat,
        fetch_data_arrays,
        drain_queue,
        harmonise_and_publish,
        one_day_of_a_small_tenant,
        copy_floor,
        publish_to_postgres,
        publish_a_day_to_postgres,
        wide_and_narrow,
        publish_a_day_to_duckdb,
        unchanged_night,
        sensor_nights,
        large_csv,
        transit_feed,
        fill_sensorthings,
        night_of_tenants,
        code_location_of_500_tenants,
        quiet_night_of_tenants,
        development_server,
        graph_of_500_tenants,
        health_of_500_tenants,
        first_page_of_the_browser,
        commons_in_duckdb,
        commons_in_postgres,
        help_of_the_command,
        start_of_a_query,
        status_of_200_tenants,
        morning_page,
        discover_in_catalogues,
        catalogue_of_500_tenants,
    )
}


def main() -> None:
    """Run one scenario in a fresh folder and print its figures as JSON."""
    name, _, size = sys.argv[1].partition("=")
    folder = Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    figures = SCENARIOS[name](folder, *([int(size)] if size else []))
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps({"on": date.today().isoformat(), **figures}))  # noqa: DTZ011 - a label


if __name__ == "__main__":
    main()
