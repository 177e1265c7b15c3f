"""The command `status`: all tenants and their sources on one screen, as JSON, or as metrics for Prometheus.

How a source is found to be late or failing is in the package `overview`.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from civitas_assets.cli.app import app, complete_tenants, err, exit_unless, make_table, out, read_settings
from civitas_assets.cli.stores import open_files
from civitas_assets.inert import escape_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from civitas_assets.errors import Fault
    from civitas_assets.overview.state import SourceState, TenantState
    from civitas_assets.settings import Settings

# More sources than these do not fit on a screen: then there is a line per tenant, and those that need somebody.
_SOURCES_SHOWN = 40
_NUMBERS = {
    "sources ok", "oldest success", "last success", "rejected", "unmapped", "unread", "size", "pending", "landing"
}  # fmt: skip
_COLOURS = {"ok": "green", "late": "yellow", "failing": "red", "unread": "red", "never": "yellow"}


@app.command()
def status(
    tenant: Annotated[
        str | None,
        typer.Argument(help="Only this tenant, with all its sources.", autocompletion=complete_tenants),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, everything that is known.")] = False,
    prometheus: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write metrics for node_exporter's textfile collector there."),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Exit with 1 if a source is late, failing or cannot be read, or a file has faults.",
        ),
    ] = False,
) -> None:
    """Show when each source last answered, whether that is fresh, what is rejected and what waits to be published.

    It reads a few small files that runs leave behind, so that it answers at once for hundreds of tenants.
    """
    from civitas_assets.catalog.last_good import LastGood
    from civitas_assets.catalog.outline import read_outlines
    from civitas_assets.overview.state import read_states

    settings, now = read_settings(), datetime.now(UTC)
    last_good = LastGood(settings.last_good)
    known = read_outlines(settings.tenants_dir, last_good)
    if tenant is not None and tenant not in known:
        names = ", ".join(sorted(known)) or "none"
        raise typer.BadParameter(f"there is no tenant {tenant}; there are: {names}", param_hint="TENANT")
    chosen = known if tenant is None else {tenant: known[tenant]}
    found = read_states(
        open_files(settings), chosen, now, _faults(settings, last_good.list_changed(settings.tenants_dir))
    )
    if prometheus is not None:
        from civitas_assets.overview.prometheus import write_metrics

        write_metrics(prometheus, found, now)
    if as_json:
        sys.stdout.write(
            escape_json(json.dumps(_plain_data(found, now), ensure_ascii=False, indent=2)) + "\n"
        )
    elif prometheus is None:
        _print(found, whole=tenant is not None)
    if check:
        exit_unless(all(state.is_fine for state in found))


def _faults(settings: Settings, changed: set[str]) -> Mapping[str, Sequence[Fault]]:
    """The faults of the files that are not as they were last without: only for those all models are loaded."""
    if not changed:
        return {}
    from civitas_assets.ingest.catalogue import read_faults

    return read_faults(settings, changed)


def _print(found: Sequence[TenantState], *, whole: bool) -> None:
    from civitas_assets.overview.state import select_troubled

    whole = whole or sum(len(state.sources) for state in found) <= _SOURCES_SHOWN
    if not whole:
        _print_tenants(found)
    listed = [source for state in found for source in state.sources] if whole else select_troubled(found)
    _print_sources(listed[:_SOURCES_SHOWN] if not whole else listed)
    if not whole and len(listed) > _SOURCES_SHOWN:
        out.print(f"and {len(listed) - _SOURCES_SHOWN} more that need somebody; see --json")
    for state in found:
        for fault in state.file_faults:
            err.say_error(fault)
        if whole and state.outline.readable:
            out.print(_sentence(state))
        for failure in state.failures:
            err.say_error(f"{state.tenant}: {failure.name}: {failure.message}")
    fine = sum(source.is_fine for state in found for source in state.sources)
    total = sum(len(state.sources) for state in found)
    out.print(f"{len(found)} tenant(s), {fine} of {total} source(s) ok")


def _print_tenants(found: Sequence[TenantState]) -> None:
    table = make_table(
        "tenant", "sources ok", "oldest success", "rejected", "unmapped", "unread", "size", "pending", "published",
        numbers=_NUMBERS,
    )  # fmt: skip
    for state in found:
        ages = [source.age for source in state.sources if source.age is not None]
        parts = [source.summary for source in state.sources]
        fine = sum(source.is_fine for source in state.sources)
        table.add_row(
            state.tenant, f"{fine}/{len(state.sources)}", _ago(max(ages, default=None)),
            *(f"{sum(numbers):,}" for numbers in (
                [p.rejected for p in parts], [p.unmapped for p in parts], [p.unread for p in parts])),
            _size(state.summary.bytes), f"{len(state.pending.days)} d", _moment(state.summary.published_at),
        )  # fmt: skip
    out.print(table)


def _print_sources(listed: Sequence[SourceState]) -> None:
    if not listed:
        return
    table = make_table(
        "tenant", "source", "state", "last success", "cadence", "rejected", "unmapped", "unread", "landing",
        numbers=_NUMBERS,
    )  # fmt: skip
    for source in listed:
        summary = source.summary
        table.add_row(
            source.tenant, source.source, f"[{_COLOURS[source.state]}]{source.state}[/]", _ago(source.age),
            source.cadence, f"{summary.rejected:,}", f"{summary.unmapped:,}", f"{summary.unread:,}",
            _size(summary.landing_bytes),
        )  # fmt: skip
    out.print(table)
    for source in listed:
        for error in filter(None, (source.summary.error, source.summary.read_error)):
            err.say_error(f"{source.tenant} · {source.source}: {error.text}")
        for note in source.summary.notes:
            err.say_note(f"{source.tenant} · {source.source}: {note.text}")


def _sentence(state: TenantState) -> str:
    summary, days = state.summary, len(state.pending.days)
    pending = f"{days} day(s) to be published" if state.pending else "nothing to be published"
    return (
        f"{state.tenant}: {_size(summary.bytes)} in all, published {_moment(summary.published_at)}, {pending}"
    )


def _plain_data(found: Sequence[TenantState], now: datetime) -> dict[str, Any]:
    import msgspec

    tenants = {
        state.tenant: {
            "name": state.outline.name,
            "readable": state.outline.readable,
            "file_faults": [*map(str, state.file_faults)],
            "bytes": state.summary.bytes,
            "record_bytes": state.summary.record_bytes,
            "published_bytes": state.summary.published_bytes,
            "published_at": state.summary.published_at and state.summary.published_at.isoformat(),
            "pending_days": [day.isoformat() for day in sorted(state.pending.days)],
            "pending_things": state.pending.things,
            "failures": msgspec.to_builtins(state.failures),
            "sources": {
                source.source: {
                    "state": source.state,
                    "cadence": source.cadence,
                    "age_seconds": source.age.total_seconds() if source.age is not None else None,
                    **{
                        n: msgspec.to_builtins(getattr(source.summary, n))
                        for n in source.summary.__struct_fields__
                        if not n.endswith(("_notes", "error")) and n != "state"
                    },
                    "error": str(source.summary.error or ""),
                    "error_code": source.summary.error.code if source.summary.error else "",
                    "read_error": str(source.summary.read_error or ""),
                    "read_error_code": source.summary.read_error.code if source.summary.read_error else "",
                    "notes": msgspec.to_builtins(source.summary.notes),
                }
                for source in state.sources
            },
        }
        for state in found
    }
    return {"at": now.isoformat(), "tenants": tenants}


def _ago(age: timedelta | None) -> str:
    if age is None:
        return "never"
    minutes = int(age.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


def _moment(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else "never"


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
