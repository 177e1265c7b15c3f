"""The command `demo`: a first run against sample servers.

Towns and servers are in the package `demo`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from civitas_assets.cli.app import app, err, exit_unless, out, show_log
from civitas_assets.cli.runs import run_and_report

if TYPE_CHECKING:
    from civitas_assets.settings import Settings

DEMO_QUERY = (
    '"select station_id, day, sum(bicycle_count)::int as bicycles'
    ' from traffic_flow_observed group by all order by day desc, station_id limit 10"'
)


@app.command()
def demo(
    serve: Annotated[bool, typer.Option("--serve", help="Keep the sample servers up afterwards.")] = False,
) -> None:
    """Run three fictional towns against sample municipal servers on loopback; all data is synthetic."""
    from datetime import UTC, datetime

    from pydantic import SecretStr

    from civitas_assets.demo.servers import start_servers
    from civitas_assets.demo.towns import DOWN, write_towns
    from civitas_assets.settings import LOOPBACK, Settings

    home = Settings().home / "demo"
    # Whatever this installation shares with others, sample towns are no part of it.
    settings = Settings(
        home=home,
        tenants_dir=home / "tenants",
        published_dir=home / "published",
        storage_url="",
        dagster_url=SecretStr(""),
        reachable=LOOPBACK,
    )
    show_log(settings)
    with start_servers(datetime.now(UTC).date()) as servers:
        towns = write_towns(settings.tenants_dir, servers.url, servers.queue)
        err.print(f"sample servers of {', '.join(towns)} on {servers.url}")
        outcomes = run_and_report(settings, towns)
        town, source = DOWN
        out.say(
            f"The source {source} of {town} is down on purpose: its error is shown above, and everything else of the\n"
            "town was published all the same.\n"
        )
        here = home.relative_to(Path.cwd()) if home.is_relative_to(Path.cwd()) else home
        out.print(f"One DuckDB file per town is in {here}/published. To ask one of them:\n")
        out.say(f"  CIVITAS_HOME={here} {_own_command()} query {towns[0]} {DEMO_QUERY}\n")
        others = (
            "; sources answer with --serve only"
            if not serve
            else ", in another shell, as long as the servers run"
        )
        out.say(f"The Dagster UI with what these towns' runs have made{others}:\n")
        out.say(f"  {_variables(settings)}make dev\n")
        if serve:
            out.print("Ctrl-C ends the servers.")
            servers.wait()
    expected = {town: [f" · {source}: "]}
    exit_unless(
        all(
            any(text in error for text in expected.get(outcome.tenant, ()))
            for outcome in outcomes
            for error in outcome.errors
        )
    )


def _variables(settings: Settings) -> str:
    """What `make dev` has to be told; nothing where it opens the sample towns by itself, as the Makefile says."""
    from civitas_assets.settings import PROJECT_DIR, Settings

    own, data = Settings(), PROJECT_DIR / "data"
    is_plain = (
        own.home == data and not own.storage_url and own.tenants_dir.parent == PROJECT_DIR / "civitas_assets"
    )
    if is_plain and not (data / "landing").exists():
        return ""
    return f"CIVITAS_HOME={settings.home} CIVITAS_TENANTS_DIR={settings.tenants_dir} CIVITAS_REACHABLE=127.0.0.0/8 "


def _own_command() -> str:
    command = Path(sys.argv[0]).absolute()
    return str(command.relative_to(Path.cwd())) if command.is_relative_to(Path.cwd()) else command.name
