"""The assets `landing/<connector>`: what the sources answered, as bytes.

Each source's outcome is a check of its own, so that one that is down is seen and stops nothing else.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from civitas_assets.connectors.base import Connector
from civitas_assets.defs.checks import partitioned_check
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.presentation import table
from civitas_assets.defs.scope import Scope
from civitas_assets.ingest.fetch import FetchReport, fetch_sources

_COLUMNS = ("source", "state", "requests", "new", "unchanged", "not found", "bytes", "seconds", "error")


def landing_key(connector: str) -> dg.AssetKey:
    """The key of a connector's landing."""
    return dg.AssetKey(["landing", connector])


def landing_asset(deployment: Deployment, connector: Connector) -> dg.AssetsDefinition:
    """The landing of one connector."""
    key = landing_key(connector.name)
    names = sorted(
        {name for sources in deployment.catalog.sources(connector.name).values() for name in sources}
    )
    checks = [
        partitioned_check(
            name, key, deployment.partitions, "Everything that was asked of the source was answered."
        )
        for name in names
    ]

    @dg.multi_asset(
        name=f"landing_{connector.name}",
        specs=[
            dg.AssetSpec(
                key,
                group_name="landing",
                kinds={connector.name},
                description=f"Bodies received from the tenant's {connector.name} sources, each kept once.",
            )
        ],
        check_specs=checks,
        partitions_def=deployment.partitions,
        can_subset=True,
    )
    def fetch(context: dg.AssetExecutionContext, scope: Scope) -> Iterator[Any]:
        tenant = deployment.catalog.tenant(context.partition_key)
        sources = scope.chosen(tenant, connector.name)
        with deployment.working_for(tenant), deployment.http_client() as client:
            reports = fetch_sources(
                tenant, connector, sources, scope.window(), deployment.files, client, deployment.now
            )
        for report in reports:
            yield dg.AssetCheckResult(
                asset_key=key,
                check_name=report.source,
                passed=report.ok,
                description=report.error or None,
                metadata={"requests": report.requests, "bytes": report.bytes, "seconds": report.seconds},
            )
        yield dg.MaterializeResult(
            asset_key=key,
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

    return fetch


def _version(reports: Sequence[FetchReport]) -> dg.DataVersion:
    """Changes only when something lands, so that a quiet night makes nothing downstream look out of date."""
    contents = sorted((report.source, report.contents) for report in reports)
    return dg.DataVersion(hashlib.sha256(repr(contents).encode()).hexdigest()[:16])


def _row(report: FetchReport) -> tuple[object, ...]:
    return (
        report.source, "ok" if report.ok else "failed", report.requests, report.stored, report.unchanged,
        report.not_found, report.bytes, round(report.seconds, 2), report.error,
    )  # fmt: skip
