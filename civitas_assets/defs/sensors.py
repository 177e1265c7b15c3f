"""What starts a tenant's run before its schedule does: files in a drop folder, and messages that wait at a broker.

Neither is taken here; that is done by the run, like in every other one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import dagster as dg

from civitas_assets.catalog import Source, Tenant
from civitas_assets.connectors.reachable import Reachable
from civitas_assets.defs.runs import ARRIVALS, CADENCE_TAG, TENANT_TAG, list_busy_tenants
from civitas_assets.ingest.drop import DropFolder, WaitingFile
from civitas_assets.ingest.isolation import capture_errors
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.settings import read_secret

if TYPE_CHECKING:
    from civitas_assets.connectors.transport.mqtt_queue import Queue

_FILES_EVERY = 30  # seconds
_MESSAGES_EVERY = 300
_BROKERS_AT_ONCE = 8
_LISTED_AT_ONCE = 8  # in object storage each folder is a request


def build_arrival_sensors(deployment: Deployment) -> dg.Definitions:
    """The sensors of files and of messages."""
    return dg.Definitions(sensors=[_files(deployment), _messages(deployment)])


def _files(deployment: Deployment) -> dg.SensorDefinition:
    @dg.sensor(
        name="dropped_files",
        job_name=ARRIVALS,
        minimum_interval_seconds=_FILES_EVERY,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts a tenant's run when complete files wait in a drop folder of its sources.",
    )
    def dropped_files(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        going, found = list_busy_tenants(context.instance, ARRIVALS), False
        tenants = [tenant for tenant in deployment.list_startable_tenants() if tenant.slug not in going]
        with ThreadPoolExecutor(_LISTED_AT_ONCE, thread_name_prefix="drop") as pool:
            for tenant, waiting in zip(
                tenants, pool.map(partial(_waiting, deployment), tenants), strict=True
            ):
                if waiting:
                    found = True
                    yield _run(tenant.slug, sorted(waiting), _mark(waiting.values()))
        if not found:
            yield dg.SkipReason("no files wait, but for tenants whose run is going")

    return dropped_files


def _waiting(deployment: Deployment, tenant: Tenant) -> Mapping[str, Sequence[WaitingFile]]:
    """The files that wait, by the source that they are for; none where that cannot be found out."""
    folders = [
        DropFolder(deployment.files, tenant.slug, name, source.dropped)
        for name, source in tenant.sources.items()
        if source.dropped is not None
    ]
    found, _ = capture_errors(
        f"{tenant.slug} · drop",
        lambda: {folder.source: [*folder.list_waiting(deployment.now())] for folder in folders},
    )
    return {name: files for name, files in (found or {}).items() if files}


def _messages(deployment: Deployment) -> dg.SensorDefinition:
    @dg.sensor(
        name="waiting_messages",
        job_name=ARRIVALS,
        minimum_interval_seconds=_MESSAGES_EVERY,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts a tenant's run when the bell of one of its queues rings; the queue itself is not touched.",
    )
    def waiting_messages(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        going = list_busy_tenants(context.instance, ARRIVALS)
        bells = [
            (tenant.slug, source, queue)
            for tenant in deployment.list_startable_tenants()
            if tenant.slug not in going  # a bell that nobody answers stays rung
            for source in tenant.sources.values()
            if (queue := _find_bell(source)) is not None
        ]
        rung: dict[str, list[str]] = {}
        reachable = Reachable.from_settings(deployment.settings)
        with ThreadPoolExecutor(_BROKERS_AT_ONCE, thread_name_prefix="bell") as pool:
            for (tenant, source, _), ringing in zip(
                bells, pool.map(partial(_asked, reachable), bells), strict=True
            ):
                if ringing:
                    rung.setdefault(tenant, []).append(source.name)
        for tenant, sources in rung.items():
            yield _run(tenant, sources, None)
        if not rung:
            yield dg.SkipReason(f"none of {len(bells)} bells has rung")

    return waiting_messages


def _find_bell(source: Source) -> Queue | None:
    """The queue of a source whose bell may ring; none of any other source."""
    if (found := getattr(source, "queue", None)) is None:
        return None
    from civitas_assets.connectors.transport.mqtt_queue import Queue  # noqa: PLC0415 - loaded where somebody uses it

    return found if isinstance(found, Queue) and found.bell else None


def _asked(reachable: Reachable, bell: tuple[str, Source, Queue]) -> bool:
    from civitas_assets.connectors.transport.mqtt_queue import has_new_messages  # noqa: PLC0415

    tenant, source, queue = bell
    ringing, _ = capture_errors(
        f"{tenant} · bell · {source.name}", lambda: has_new_messages(source, queue, read_secret, reachable)
    )
    return bool(ringing)


def _run(tenant: str, sources: Sequence[str], mark: str | None) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=None if mark is None else f"{tenant}:{mark}",
        partition_key=tenant,
        run_config={"resources": {"scope": {"config": {"sources": list(sources)}}}},
        tags={TENANT_TAG: tenant, CADENCE_TAG: ARRIVALS},
    )


def _mark(waiting: Iterable[Sequence[WaitingFile]]) -> str:
    """Changes with every file that comes or is changed, so that the same ones start one run only."""
    return hashlib.sha256(repr(list(waiting)).encode()).hexdigest()[:16]
