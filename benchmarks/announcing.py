"""The scenario of announcing: the catalogue of all that five hundred tenants publish openly, by the command."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import msgspec

from benchmarks.town import Figures
from civitas_assets.dictionary.contracts import read_contracts
from civitas_assets.harmonise.prepare import prepare_project
from civitas_assets.publish.duckdb.published_file import find_published_file
from civitas_assets.settings import Settings
from testbed.towns import environment_of

TENANTS, DAYS = 500, 365
_OPEN = ("air_quality_observed", "parking_status", "station")
_TOWN = """\
name: Stadt {number}
ags: "{number:08d}"
bbox: [9.0, 50.0, 9.2, 50.2]
share: [air_quality_observed, parking_status, station]
open_data:
  publisher: {{name: Stadt {number}, url: "https://stadt{number}.example/"}}
  contact: {{name: Statistikstelle, email: "daten@stadt{number}.example"}}
  landing_page: "https://stadt{number}.example/daten"
  downloads: {{url: "https://daten.stadt{number}.example", formats: [csv, geojson, geoparquet]}}
sources:
  air: {{connector: uba, title: Luft, licence: CC0-1.0, stations: [DEHE046]}}
"""
_FILL = f"""
insert into source by name select 'air' as source, 'CC0-1.0' as licence;
insert into station by name select 'air' as source, 's' || n as station_key, 9.1 as lon, 50.1 as lat,
    timestamptz '2026-11-03 12:00:00+00' as received_at from range(20) t(n);
insert into air_quality_observed by name select 'air' as source, 's' || (n % 20) as station_key,
    date '2026-01-01' + (n // 480)::integer as day, timestamptz '2026-11-03 12:00:00+00' as received_at
    from range({480 * DAYS}) t(n);
insert into parking_status by name select 'air' as source, 'p' || (n % 5) as site_key,
    date '2026-01-01' + (n // 480)::integer as day, timestamptz '2026-11-03 12:00:00+00' as received_at
    from range({480 * DAYS}) t(n);
"""  # noqa: S608 - numbers of this file


def catalogue_of_500_tenants(folder: Path, size: int = TENANTS) -> Figures:
    """Three open tables of each tenant, two of them with a year of rows, as one catalogue in Turtle."""
    settings = Settings(home=folder / "home")
    contracts = read_contracts(prepare_project(settings))
    made = folder / "published.duckdb"
    with duckdb.connect(str(made)) as connection:
        connection.execute("set TimeZone = 'UTC'; create schema meta")
        for name in (*_OPEN, "source"):
            columns = ", ".join(f'"{column}" {said.type}' for column, said in contracts[name].columns.items())
            connection.execute(f'create table "{name}" ({columns})')
        connection.execute(_FILL)
        said = msgspec.json.encode({name: contracts[name] for name in _OPEN}).decode()
        connection.execute("create table meta.publication as select ? as contracts, 'r' as run_id", [said])
    (folder / "tenants").mkdir()
    for number in range(1, size + 1):
        slug = f"stadt{number:03d}"
        (folder / "tenants" / f"{slug}.yaml").write_text(_TOWN.format(number=number), encoding="utf-8")
        file = find_published_file(settings.published, slug)
        file.parent.mkdir(parents=True)
        shutil.copyfile(made, file)
    command = [
        sys.executable, "-m", "civitas_assets.cli", "catalogue", "--publisher", "Betrieb",
        "--landing-page", "https://daten.example/", "--output", str(folder / "catalogue.ttl"),
    ]  # fmt: skip
    started, spent = time.perf_counter(), _measure_children()
    done = subprocess.run(command, env=environment_of(folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert f"{size * len(_OPEN)} dataset(s)" in done.stderr, done.stderr[-2000:]
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": _measure_children() - spent,
        "megabytes": (folder / "catalogue.ttl").stat().st_size / 1e6,
        "tenants": float(size),
    }


def _measure_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
