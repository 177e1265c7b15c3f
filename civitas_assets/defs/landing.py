"""The assets `landing/<connector>`: what the sources answered, as bytes.

Each source's outcome is a check of its own, so that one that is down is seen and stops nothing else.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from civitas_assets.connectors.http import HttpClient
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.defs.checks import partitioned_check
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.presentation import table
from civitas_assets.defs.scope import Scope
from civitas_assets.defs.work import Result, Work, failures_in_words
from civitas_assets.ingest.fetch import fetch_sources
from civitas_assets.ingest.session import FetchReport

_COLUMNS = ("source", "state", "requests", "new", "unchanged", "not found", "bytes", "seconds", "error")


def landing_key(connector: str) -> dg.AssetKey:
    """The key of a connector's landing."""
    return dg.AssetKey(["landing", connector])


def landing_assets(deployment: Deployment) -> dg.Definitions:
    """The landings of all connectors that a tenant uses, fetched in one step."""
    specs, checks = [], []
    for connector in deployment.catalog.connectors:
        specs.append(
            dg.AssetSpec(
                landing_key(connector),
                group_name="landing",
                kinds={connector},
                description=f"Bodies received from the tenant's {connector} sources, each kept once.",
            )
        )
        names = {name for sources in deployment.catalog.sources(connector).values() for name in sources}
        checks += [
            partitioned_check(
                name,
                landing_key(connector),
                deployment.partitions,
                "Everything that was asked of the source was answered.",
            )
            for name in sorted(names)
        ]
    if not specs:
        return dg.Definitions()

    @dg.multi_asset(
        name="fetch",
        specs=specs,
        check_specs=checks,
        partitions_def=deployment.partitions,
        can_subset=True,
    )
    def fetch(context: dg.AssetExecutionContext, scope: Scope) -> Iterator[Any]:
        with failures_in_words(), deployment.http_client() as client:
            yield from fetch_tenant(Work.of(context, deployment, scope), client)

    return dg.Definitions(assets=[fetch])


def fetch_tenant(work: Work, client: HttpClient) -> Iterator[Result]:
    """Fetch the tenant's sources, and say what came."""
    deployment, tenant = work.deployment, work.tenant
    connectors = [name for name in deployment.catalog.connectors if work.wants(landing_key(name))]
    sources = {
        name: source for name, source in work.scope.chosen(tenant).items() if source.connector in connectors
    }
    with work.locked():
        reports = fetch_sources(
            tenant, sources, CONNECTORS, work.scope.window(), deployment.files, client, deployment.now
        )
    for connector in connectors:
        yield from _outcome(connector, [r for r in reports if sources[r.source].connector == connector])


def _outcome(connector: str, reports: Sequence[FetchReport]) -> Iterator[Result]:
    """The check of each source, and the materialisation of their landing, which a tenant without any has too."""
    for report in reports:
        yield dg.AssetCheckResult(
            asset_key=landing_key(connector),
            check_name=report.source,
            passed=report.ok,
            description=report.error or None,
            metadata={"requests": report.requests, "bytes": report.bytes, "seconds": report.seconds},
        )
    yield dg.MaterializeResult(
        asset_key=landing_key(connector),
        data_version=_version(reports),
        metadata={
            "sources": len(reports),
            "failed": sum(not report.ok for report in reports),
            "requests": sum(report.requests for report in reports),
            "not_modified": sum(report.not_modified for report in reports),
            "new_payloads": sum(report.stored for report in reports),
            "bytes": sum(report.bytes for report in reports),
            "seconds": max((report.seconds for report in reports), default=0.0),
            "outcome": table(_COLUMNS, [_row(report) for report in reports]),
        },
    )


def _version(reports: Sequence[FetchReport]) -> dg.DataVersion:
    """Changes only when something lands, so that a quiet night makes nothing downstream look out of date."""
    contents = sorted((report.source, report.contents) for report in reports)
    return dg.DataVersion(hashlib.sha256(repr(contents).encode()).hexdigest()[:16])


def _row(report: FetchReport) -> tuple[object, ...]:
    return (
        report.source, "ok" if report.ok else "failed", report.requests, report.stored, report.unchanged,
        report.not_found, report.bytes, round(report.seconds, 2), report.error,
    )  # fmt: skip
