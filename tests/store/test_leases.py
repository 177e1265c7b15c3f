"""Across machines, a tenant has one worker at a time: a dead one is succeeded, and one that lost its lease stops."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest

from civitas_assets.errors import StoreError, TenantBusy
from civitas_assets.store import leases
from civitas_assets.store.leases import TERMS, LeaseOptions, hold_tenant_lease
from civitas_assets.store.objects import ObjectFiles
from testbed.objects import ObjectServer

SHORT = LeaseOptions(
    renewed=timedelta(milliseconds=100), trusted=timedelta(milliseconds=600), expires=timedelta(seconds=1)
)
HOLDER = """
import sys
from datetime import timedelta
from civitas_assets.store.leases import LeaseOptions, hold_tenant_lease
from civitas_assets.store.objects import ObjectFiles
with hold_tenant_lease(ObjectFiles(sys.argv[1]), "town", LeaseOptions(renewed=timedelta(milliseconds=100))):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def bucket(storage_url: str) -> ObjectFiles:
    return ObjectFiles(storage_url)


def test_another_process_is_refused_and_a_crashed_one_is_succeeded(
    bucket: ObjectFiles, storage_url: str
) -> None:
    command = [sys.executable, "-c", HOLDER, storage_url]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ)
    ) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(TenantBusy, match=rf"working for town \(.*process {holder.pid}\)"):
                take(bucket)
            take(bucket, "other")
        finally:
            holder.kill()
    with pytest.raises(TenantBusy, match="the way is free after 180 seconds"):
        take(bucket)
    patient(bucket)


def take(bucket: ObjectFiles, tenant: str = "town", terms: LeaseOptions = TERMS) -> None:
    with hold_tenant_lease(bucket, tenant, terms) as ensure_held:
        ensure_held()


def patient(bucket: ObjectFiles) -> None:
    """Take over what has expired by short terms, as soon as it has."""
    deadline = time.monotonic() + 20
    while True:
        try:
            take(bucket, terms=SHORT)
        except TenantBusy:
            assert time.monotonic() < deadline
        else:
            return


def test_a_lease_is_given_back_also_when_the_work_fails(bucket: ObjectFiles) -> None:
    with pytest.raises(ZeroDivisionError), hold_tenant_lease(bucket, "town"):
        raise ZeroDivisionError
    take(bucket)
    take(bucket)


def test_of_many_that_come_at_once_one_gets_it(bucket: ObjectFiles) -> None:
    with ExitStack() as held:

        def try_it(_: int) -> bool:
            try:
                held.enter_context(hold_tenant_lease(bucket, "town"))
            except TenantBusy:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert [*pool.map(try_it, range(8))].count(True) == 1


def test_a_holder_that_works_longer_than_the_lease_keeps_it(bucket: ObjectFiles) -> None:
    terms = LeaseOptions(
        timedelta(milliseconds=100), trusted=timedelta(seconds=20), expires=timedelta(seconds=2)
    )
    with hold_tenant_lease(bucket, "town", terms) as ensure_held:
        renewals = len({bucket.read("locks/town.json") for _ in until(3.2)})
        with pytest.raises(TenantBusy):
            take(bucket, terms=terms)
        ensure_held()
    assert renewals > 2


def until(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield None


def work(bucket: ObjectFiles, disturb: Callable[[], None]) -> None:
    """Work for a while, with something coming between."""
    with hold_tenant_lease(bucket, "town", SHORT) as ensure_held:
        disturb()
        for _ in until(10.0):
            ensure_held()


def test_a_holder_that_cannot_renew_stops_before_another_may_begin(
    bucket: ObjectFiles, object_store: ObjectServer
) -> None:
    try:
        with pytest.raises(StoreError, match="could not be renewed in time"):
            work(bucket, lambda: object_store.faults.extend([403] * 1000))
    finally:
        object_store.faults.clear()


def test_a_holder_whose_lease_was_taken_over_is_told(bucket: ObjectFiles) -> None:
    another = b'{"holder":"another","token":"t"}'
    with pytest.raises(StoreError, match="nothing further is written"):
        work(bucket, lambda: bucket.write("locks/town.json", another))
    assert bucket.read("locks/town.json") == another, "it is not given back in another's name"


def test_a_machine_that_has_slept_does_not_trust_its_lease(
    bucket: ObjectFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept, clock = TERMS.trusted.total_seconds() + 1, leases.read_elapsed
    with pytest.raises(StoreError, match="could not be renewed in time"), hold_tenant_lease(bucket, "town"):
        monkeypatch.setattr(leases, "read_elapsed", lambda: clock() + slept)


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system has no clock that counts sleep")
def test_the_clock_of_leases_goes_on_while_the_machine_sleeps() -> None:
    assert leases.read_elapsed() == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=60)
