"""Writing events of assets into the history of a run, all of a tenant together where the history takes them so.

What an op yields Dagster stores one by one, with what loggers are to be told: ten milliseconds for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TypeAlias
from uuid import uuid4

import dagster as dg
import sqlalchemy as sa

from civitas_assets.defs.dagster_internals import (
    AssetCheckEvaluationTargetMaterializationData,
    AssetKeyTable,
    AssetObservationData,
    DagsterEvent,
    DagsterEventBatchMetadata,
    SqlEventLogStorage,
    SqlEventLogStorageTable,
    StepMaterializationData,
)
from civitas_assets.defs.local_history import OpenEventLog

AssetEvent: TypeAlias = dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation
Targets: TypeAlias = Mapping[dg.AssetKey, AssetCheckEvaluationTargetMaterializationData | None]


@dataclass(frozen=True)
class EventWriter:
    """Writes for one step of a run."""

    instance: dg.DagsterInstance
    run_id: str
    job_name: str
    step_key: str

    def write(self, events: Sequence[AssetEvent], at: float | None = None) -> None:
        """Store the events in their order; `at` is in seconds of the epoch, by default each has its own."""
        # The storage of PostgreSQL keeps of a batch neither what is known of assets nor checks.
        together = len(events) > 1 and isinstance(self.instance.event_log_storage, OpenEventLog)
        batch = uuid4().hex
        for number, event in enumerate(events, 1):
            self.instance.report_dagster_event(
                self._event(event),
                self.run_id,
                batch_metadata=DagsterEventBatchMetadata(batch, number == len(events)) if together else None,
                timestamp=at,
            )

    def _event(self, event: AssetEvent) -> DagsterEvent:
        data: object = event
        kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
        if isinstance(event, dg.AssetMaterialization):
            kind, data = dg.DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(event)
        elif isinstance(event, dg.AssetObservation):
            kind, data = dg.DagsterEventType.ASSET_OBSERVATION, AssetObservationData(event)
        return DagsterEvent(
            event_type_value=kind.value,
            job_name=self.job_name,
            step_key=self.step_key,
            event_specific_data=data,  # type: ignore[arg-type] # of the kind's own class
        )


def find_target(
    instance: dg.DagsterInstance, asset: dg.AssetKey, tenant: str
) -> AssetCheckEvaluationTargetMaterializationData | None:
    """What a check is about: the latest materialisation; of a check that is about another, the UI shows nothing."""
    asked = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[tenant])
    found = next(iter(instance.fetch_materializations(asked, limit=1).records), None)
    if found is None:
        return None
    return AssetCheckEvaluationTargetMaterializationData(
        storage_id=found.storage_id, run_id=found.run_id, timestamp=found.timestamp
    )


def find_targets(instance: dg.DagsterInstance, assets: Iterable[dg.AssetKey], tenant: str) -> Targets:
    """The same of several assets, which are asked for together unless somebody has wiped one of them in the UI."""
    found: dict[dg.AssetKey, AssetCheckEvaluationTargetMaterializationData | None] = dict.fromkeys(assets)
    storage = instance.event_log_storage
    if not found:
        return found
    if not isinstance(storage, SqlEventLogStorage):
        return {asset: find_target(instance, asset, tenant) for asset in found}
    keys = {asset.to_string(): asset for asset in found}
    of = SqlEventLogStorageTable.c
    latest = (
        sa.select(sa.func.max(of.id))
        .where(
            of.asset_key.in_([*keys]),
            of.partition == tenant,
            of.dagster_event_type == dg.DagsterEventType.ASSET_MATERIALIZATION.value,
        )
        .group_by(of.asset_key)
    )
    details = AssetKeyTable.c.asset_details
    asked = (
        sa.select(of.asset_key, of.id, of.run_id, of.timestamp, details)
        .select_from(
            SqlEventLogStorageTable.outerjoin(AssetKeyTable, AssetKeyTable.c.asset_key == of.asset_key)
        )
        .where(of.id.in_(latest))
    )
    with storage.index_connection() as connection:
        rows = connection.execute(asked).fetchall()
    for key, number, run_id, moment, wiped in rows:
        found[keys[key]] = (
            find_target(instance, keys[key], tenant)
            if wiped
            else AssetCheckEvaluationTargetMaterializationData(
                storage_id=number, run_id=run_id, timestamp=moment.replace(tzinfo=UTC).timestamp()
            )
        )
    return found
