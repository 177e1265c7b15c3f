"""What runs say about themselves, by which they are found again: their tenants and their cadence.

What is in them is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

NIGHTLY = "nightly"
ARRIVALS = "arrivals"  # what files and messages start
TENANT_TAG = "civitas/tenant"
TENANTS_TAG = "civitas/tenants"  # of a batch, separated by blanks
CADENCE_TAG = "civitas/cadence"
SHELL_TAG = "civitas/shell"  # somebody waits for the run, and sees what becomes of it
OUTCOME_TAG = "civitas/outcome"  # ok, faults (a source, a payload) or failed (a step)
CLEARED_TAG = "civitas/cleared_by"  # of a run that failed: the later one since which nothing of it is red
FAILED = "failed"  # metadata of a batch's failure: what went wrong, by tenant
OPERATORS_TIME = "Europe/Berlin"

_GOING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def list_busy_tenants(instance: dg.DagsterInstance, cadence: str) -> set[str]:
    """The tenants that a run of this cadence waits for, or works for."""
    going = instance.get_runs(dg.RunsFilter(statuses=_GOING, tags={CADENCE_TAG: cadence}))
    return {tenant for run in going for tenant in list_tenants_of_run(run.tags)}


def list_tenants_of_run(tags: Mapping[str, str]) -> list[str]:
    """The tenants that a run's tags name."""
    one = tags.get(TENANT_TAG) or tags.get("dagster/partition")
    return [one] if one else tags.get(TENANTS_TAG, "").split()
