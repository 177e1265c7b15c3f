"""`make bench`: all scenarios one after the other, with their targets and the machine.

With names as arguments, only those; `night_of_tenants=10` is a night of ten tenants.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.scenarios import SCENARIOS

# What the product promises on two cores.
TARGETS = {
    "csv_to_records": "records_per_second ≥ 500,000",
    "data_arrays_to_records": "records_per_second ≥ 250,000",
    "flat_pages_to_records": "records_per_second ≥ 150,000",
    "features_to_records": "seconds ≤ 6",
    "read_samples": "ratio ≤ 1.05 with CIVITAS_BENCHMARK_BEFORE=/path/of/a/checkout",
    "fetch_flat": "observations_per_second ≥ 80,000",
    "fetch_data_arrays": "observations_per_second ≥ 200,000",
    "drain_queue": "seconds ≤ 10",
    "harmonise_and_publish": "seconds ≤ 12",
    "one_day_of_a_small_tenant": "seconds ≤ 4",
    "publish_to_postgres": "seconds ≤ 6, ratio ≤ 2.5",
    "wide_and_narrow": "bytes per row, narrow ≤ 150; ratios of publishing ≤ 1.1",
    "publish_a_day_to_postgres": "seconds ≤ 1.5 with CIVITAS_BENCHMARK_ROWS=50000000",
    "publish_a_day_to_duckdb": "ratios ≤ 1.3, seconds ≤ 1.5 with CIVITAS_BENCHMARK_ROWS=50000000",
    "sensor_nights": "first load: ratio to floor ≤ 2.2, ahead of dlt + dbt ≥ 1.5; cpu_seconds of the product: "
    "new rows ≤ 2.4, nothing new ≤ 1.5, one corrected ≤ 2.6; bytes per observation ≤ 12",
    "large_csv": "ratio to floor ≤ 1.6, peak_megabytes ≤ 700, also with 20,000,000 rows",
    "transit_feed": "cpu_seconds ≤ 20 of five million stop times",
    "fill_sensorthings": "ahead of frost-sta-client ≥ 3",
    "unchanged_night": "cpu_seconds ≤ 6",
    "night_of_tenants": "seconds ≤ 60 of a hundred tenants, cpu_seconds per tenant ≤ 1.0",
    "code_location_of_500_tenants": "cpu_seconds ≤ 10, megabytes ≤ 10 and ≤ 600 at the peak, ticks ≤ 5 seconds",
    "quiet_night_of_tenants": "seconds ≤ 120 of five hundred tenants",
    "development_server": "seconds ≤ 20",
    "graph_of_500_tenants": "seconds ≤ 3",
    "health_of_500_tenants": "seconds ≤ 1",
    "first_page_of_the_browser": "seconds ≤ 5",
    "commons_in_duckdb": "one-day query ≤ 1",
    "commons_in_postgres": "one-day query ≤ 1",
    "help_of_the_command": "seconds ≤ 0.4",
    "start_of_a_query": "cpu_seconds ≤ 0.6; before: with CIVITAS_BENCHMARK_BEFORE=/path/of/a/checkout",
    "status_of_200_tenants": "seconds ≤ 2",
    "morning_page": "seconds ≤ 10, megabytes ≤ 5",
    "discover_in_catalogues": "seconds ≤ 60 of two thousand datasets",
    "catalogue_of_500_tenants": "seconds ≤ 60",
}


def _machine() -> str:
    models = [
        line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")
    ]
    memory = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0")
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} × {models[0] if models else platform.processor()}, {int(memory) // 1048576} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, load {load:.1f}"
    )


def _lines(file: str) -> list[str]:
    path = Path(file)
    return path.read_text().splitlines() if path.exists() else []


def main() -> None:
    """Run the scenarios and print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure, and compare with what the product promises."
    )
    parser.add_argument(
        "scenario",
        nargs="*",
        default=[*SCENARIOS],
        help=f"one of {', '.join(SCENARIOS)}; all by default; name=number for another size",
    )
    asked = parser.parse_args().scenario
    if unknown := [name for name in asked if name.partition("=")[0] not in SCENARIOS]:
        parser.error(f"no such scenario: {', '.join(unknown)}")
    console = Console(width=120)
    console.print(_machine())
    table = Table("scenario", "figures", "target", header_style="bold")
    with tempfile.TemporaryDirectory() as folder:
        for name in asked:
            console.print(f"{name} …", style="dim")
            command = [sys.executable, "-m", "benchmarks.scenarios", name, str(Path(folder) / name)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                table.add_row(name, escape(f"failed: {done.stderr.strip()[-600:]}"), TARGETS.get(name, ""))
                continue
            figures = json.loads(done.stdout.splitlines()[-1])
            if done.stderr.strip():  # such as that dlt is not installed
                console.print(escape(done.stderr.strip()[-600:]), style="yellow")
            text = "\n".join(f"{k} {v:,.2f}" for k, v in figures.items() if isinstance(v, float))
            table.add_row(name, text, TARGETS.get(name, "floor"))
    console.print(table)
    console.print("Peak memory is to stay below 1,500 MB in every scenario.")


if __name__ == "__main__":
    main()
