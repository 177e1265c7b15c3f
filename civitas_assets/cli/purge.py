"""The command `purge`: Dagster's own history is made shorter.

The same is done every morning by the schedule `purge`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from civitas_assets.cli.app import app, err, out, read_settings


@app.command()
def purge(
    older_than: Annotated[
        str, typer.Option(metavar="90d", help="Age in days; by default CIVITAS_HISTORY_DAYS.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
) -> None:
    """Remove Dagster's runs and events past their age; the present state of all assets stays.

    What tenants' sources have delivered is not touched.
    """
    settings = read_settings()
    days = _days(older_than) if older_than else settings.history_days

    import dagster as dg
    from rich.progress import Progress

    from civitas_assets.defs.purge import delete_history as purge_history
    from civitas_assets.defs.shell_runs import record_shell_runs
    from civitas_assets.settings import find_dagster_home

    find_dagster_home(settings)
    before = datetime.now(UTC) - timedelta(days=days)
    with dg.DagsterInstance.get() as instance, Progress(console=err, transient=True) as bar:
        record_shell_runs(settings, instance)
        task = bar.add_task("removing runs", total=None)
        done = purge_history(
            instance, before, dry_run=dry_run, progress=lambda n, of: bar.update(task, completed=n, total=of)
        )
    verb = "would be removed" if dry_run else "removed"
    freed = f", {done.freed / 1e6:,.1f} MB freed" if done.freed else ""
    out.print(
        f"{done.runs:,} runs older than {days} days {verb}{freed}; "
        f"{done.kept:,} older ones stay, because they are the present state of an asset"
    )


def _days(text: str) -> int:
    found = re.fullmatch(r"(\d{1,5}) ?d(ays?)?", text.strip())
    if not found:
        raise typer.BadParameter(f"{text!r} is no age; write days as 90d", param_hint="--older-than")
    return int(found[1])
