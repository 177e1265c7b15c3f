"""Runs from the shell, taken into Dagster's history: each as a run of its own, with the times at which it was.

The command leaves a record of each turn, and does not load Dagster. The records are taken in by whoever has it loaded:
a sensor every half minute, and before anything else is said of tenants, so that what happened later comes later.
"""

from __future__ import annotations

import time
from functools import partial

import dagster as dg

from civitas_assets.defs.asset_checks import to_dagster
from civitas_assets.defs.asset_keys import to_key

# Not public, but a run that is over can be told in no other way: events with a time of their own.
from civitas_assets.defs.dagster_internals import (
    DagsterEvent,
    LoadableTargetOrigin,
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
    StepFailureData,
    StepSuccessData,
    UserFailureData,
)
from civitas_assets.defs.event_writing import EventWriter
from civitas_assets.defs.events import EventRecorder
from civitas_assets.defs.runs import CADENCE_TAG, FAILED, NIGHTLY, OUTCOME_TAG, SHELL_TAG, TENANT_TAG
from civitas_assets.errors import TenantBusy
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.night_entry import summarise_outcome
from civitas_assets.pipeline.turn_records import TurnRecord, TurnRecords
from civitas_assets.settings import Settings
from civitas_assets.store.storage import make_storage

# As workspace.yaml names it: the timeline of the UI shows no run of which it does not know the code location.
_LOCATION = ManagedGrpcPythonEnvCodeLocationOrigin(
    LoadableTargetOrigin(module_name="civitas_assets.definitions"), location_name="civitas_assets"
)
_ORIGIN = RemoteJobOrigin(RemoteRepositoryOrigin(_LOCATION, "__repository__"), NIGHTLY)
_EVERY = 30  # seconds between two looks
_AT_ONCE = 20.0  # seconds of a look; the rest waits for the next one
_WAIT = 60.0  # seconds for another process that takes records in
_LOCK = "_turns"  # which cannot be a tenant's key
_STEP = "tenant"


@dg.op(name=_STEP, out=dg.Out(dg.Nothing), description="A tenant's turn, taken from the shell.")
def _take_turn() -> None:
    """What the run's graph shows; the turn itself is over."""


@dg.job(name=NIGHTLY, executor_def=dg.in_process_executor)
def _turn_job() -> None:
    _take_turn()


def build_shell_sensor(deployment: Deployment) -> dg.Definitions:
    """The sensor that takes in what runs from the shell have left."""

    @dg.sensor(
        name="shell_runs",
        minimum_interval_seconds=_EVERY,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Takes what `civitas run` has done into the history.",
    )
    def shell_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        done = record_shell_runs(deployment.settings, context.instance, most_seconds=_AT_ONCE)
        return dg.SkipReason(f"{done} runs from the shell were taken into the history")

    return dg.Definitions(sensors=[shell_runs])


def record_shell_runs(
    settings: Settings, instance: dg.DagsterInstance, *, most_seconds: float | None = None
) -> int:
    """Take all records that wait into the history, or as many as there is time for; how many there were.

    Another process that does the same is waited for.
    """
    storage = make_storage(settings)
    records, done, until = TurnRecords(storage.files), 0, time.monotonic() + (most_seconds or 1e9)
    if not records.list_keys():
        return 0
    try:
        with storage.hold(_LOCK, _WAIT):
            for key in records.list_keys():
                if time.monotonic() >= until:
                    break
                if (record := records.read(key)) is not None:
                    record_run(instance, record)
                    done += 1
                records.delete(key)
    except TenantBusy:
        pass  # so long that it has them all
    return done


def record_run(instance: dg.DagsterInstance, record: TurnRecord) -> None:
    """A run with all that the turn has said, red where a step failed; nothing where it is there already."""
    known = instance.get_run_by_id(record.run_id)
    if known is not None and known.is_finished:
        return
    if known is not None:  # whoever told of it came to its own end before
        instance.delete_run(record.run_id)
    instance.create_run_for_job(
        _turn_job,
        run_id=record.run_id,
        status=dg.DagsterRunStatus.STARTING,
        remote_job_origin=_ORIGIN,
        tags={
            "dagster/partition": record.tenant,
            TENANT_TAG: record.tenant,
            CADENCE_TAG: NIGHTLY,
            SHELL_TAG: "true",
            **({OUTCOME_TAG: summarise_outcome([record.night])} if record.night else {}),
        },
    )
    _Telling(instance, record).tell()


class _Telling:
    def __init__(self, instance: dg.DagsterInstance, record: TurnRecord) -> None:
        self._instance, self._record = instance, record

    def tell(self) -> None:
        record, recorder = self._record, EventRecorder(self._record.tenant, self._instance)
        self._event(dg.DagsterEventType.RUN_START, at=record.started_at, message="The command has begun.")
        self._event(dg.DagsterEventType.STEP_START, at=record.started_at, step=_STEP)
        writer = EventWriter(self._instance, record.run_id, NIGHTLY, _STEP)
        recorder.record(map(to_dagster, record.results), partial(writer.write, at=record.ended_at))
        if record.is_through:
            for event in recorder.clear(record.run_id, {to_key(asset) for asset in record.unseen}):
                writer.write([event], at=record.ended_at)
        if record.failed:
            self._fail()
            return
        milliseconds = (record.ended_at - record.started_at) * 1000
        success = StepSuccessData(milliseconds)  # type: ignore[no-untyped-call]
        self._event(dg.DagsterEventType.STEP_SUCCESS, success, step=_STEP)
        self._event(dg.DagsterEventType.RUN_SUCCESS)

    def _fail(self) -> None:
        record, text = self._record, "; ".join(self._record.errors)
        place = {"workspace": record.workspace} if record.workspace else {}
        metadata = {FAILED: dg.MetadataValue.json({record.tenant: text}), **place}
        given = UserFailureData("intentional-failure", text, metadata)  # type: ignore[no-untyped-call]
        failure = StepFailureData(None, given)  # type: ignore[no-untyped-call]
        self._event(dg.DagsterEventType.STEP_FAILURE, failure, step=_STEP, message=text)
        self._event(dg.DagsterEventType.RUN_FAILURE, message=f"Steps failed: ['{_STEP}'].")

    def _event(
        self,
        kind: dg.DagsterEventType,
        data: object = None,
        *,
        step: str | None = None,
        at: float | None = None,
        message: str | None = None,
    ) -> None:
        event = DagsterEvent(
            event_type_value=kind.value,
            job_name=NIGHTLY,
            step_key=step,
            event_specific_data=data,  # type: ignore[arg-type] # of the kind's own class
            message=message,
        )
        moment = self._record.ended_at if at is None else at
        self._instance.report_dagster_event(event, self._record.run_id, timestamp=moment)
