"""The morning page of a tenant with ten million observations of a year: seconds and bytes.

Tables are made by their contracts and filled in the database; only the page itself is measured.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from benchmarks.town import Figures, tenant_of
from civitas_assets.dictionary.contracts import read_contracts
from civitas_assets.errors import Problem
from civitas_assets.harmonise.prepare import prepare_project
from civitas_assets.publish.duckdb.published_file import find_published_file
from civitas_assets.report.kept_pages import make_pages
from civitas_assets.report.page import write_tenant_page
from civitas_assets.settings import Settings
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.nights import Night, NightBook, SourceNight
from civitas_assets.store.stores import Stores

_NOW = datetime(2026, 8, 1, 4, tzinfo=UTC)
_STREAMS, _PER_DAY, _DAYS = 280, 96, 373

_FILL = f"""
create temp table code as
    select range as number, (array['air.no2', 'air.o3', 'air.pm10', 'air.pm2_5', 'weather.temperature',
        'weather.pressure', 'weather.relative_humidity', 'noise.laeq', 'traffic.bicycle_count',
        'traffic.vehicle_count'])[1 + range % 10] as property
    from range({_STREAMS});
insert into observed_property by name
    select distinct property as observed_property, property as label_de, property as label_en, '1' as unit,
        if(starts_with(property, 'traffic'), 'sum', 'mean') as aggregation from code;
insert into station by name
    select 'sensors:' || number as station_key, number::varchar as station_id, 'Station ' || number as name,
        9.0 + 0.2 * random() as lon, 50.0 + 0.2 * random() as lat, 'sensors' as source from code;
insert into observation by name
    select 'sensors:' || number as datastream_key, 'sensors:' || number as station_key, property as observed_property,
        timestamptz '2025-07-25 00:00:00+00' + to_minutes(15 * step) as phenomenon_start_at,
        timestamptz '2025-07-25 00:15:00+00' + to_minutes(15 * step) as phenomenon_end_at,
        date '2025-07-25' + (step // {_PER_DAY})::int as day, round(20 + 10 * sin(step / 15.0) + number % 7,
        1) as value,
        '1' as unit, if((step * 7 + number) % 997 = 0, 'suspect', 'good') as quality_code,
        if((step * 7 + number) % 997 = 0, 'range', null) as quality_rule, 'sensors' as source,
        phenomenon_end_at as received_at, 'benchmark' as run_id
    from range({_PER_DAY * _DAYS}) as steps(step), code;
insert into observation_hourly by name
    select datastream_key, station_key, observed_property, date_trunc('hour',
        phenomenon_start_at) as hour_start_at, day,
        avg(value) filter (quality_code = 'good') as value, min(value) as minimum, max(value) as maximum, '1' as unit,
        count(*) filter (quality_code = 'good') as valid_count,
        count(*) filter (quality_code <> 'good') as suspect_count
    from observation group by all;
insert into observation_daily by name
    select datastream_key, station_key, observed_property, day, avg(value) as value, min(minimum) as minimum,
        max(maximum) as maximum, '1' as unit, sum(valid_count)::bigint as valid_count,
        sum(suspect_count)::bigint as suspect_count
    from observation_hourly group by all;
insert into coverage by name
    select 'sensors' as source, datastream_key, station_key, day, {_PER_DAY} as record_count, {_PER_DAY} as value_count,
        {_PER_DAY} as expected_count, 1.0 as coverage_ratio from observation_daily;
"""  # noqa: S608 - numbers of our own


def morning_page(folder: Path) -> Figures:
    """Both languages of the page, from the first query to the files on disk."""
    settings, tenant = Settings(home=folder / "home"), tenant_of(folder)
    contracts = read_contracts(prepare_project(settings))
    file = find_published_file(settings.published, tenant.slug)
    file.parent.mkdir(parents=True)
    with duckdb.connect(str(file)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for contract in contracts.values():
            columns = ", ".join(f'"{name}" {column.type}' for name, column in contract.columns.items())
            connection.execute(f'create table "{contract.name}" ({columns})')
        connection.execute(_FILL)
        row = connection.execute("select count(*) from observation").fetchone()
    files = LocalFiles(settings.home)
    failed = SourceNight(fetch_error=Problem("HTTP 503 from http://127.0.0.1/counter.csv"))
    for ago in range(14):
        at = _NOW - timedelta(days=ago)
        NightBook(files, tenant.slug).write(
            Night.from_summary(f"run{ago}", at, at, {"counters": failed}, published=True)
        )
    started, spent = time.perf_counter(), time.process_time()
    stores = Stores.for_tenant(files, tenant.slug)
    made = write_tenant_page(settings, tenant, stores, contracts, _NOW, make_pages(settings))
    seconds, cpu = time.perf_counter() - started, time.process_time() - spent
    assert row is not None
    assert made.observations == row[0] > 9_990_000
    size = (settings.reports / tenant.slug / "index.html").stat().st_size
    return {"seconds": seconds, "cpu_seconds": cpu, "megabytes": size / 1e6, "observations": float(row[0])}
