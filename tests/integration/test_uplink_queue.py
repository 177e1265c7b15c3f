"""Uplinks in a broker's queue: a process that is killed at the worst moments loses none, and none counts twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from testbed.broker import publish
from tests.integration.conftest import Workplace

TENANT = """
name: Funkstadt
ags: "99000098"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  sensors:
    title: Bodenfeuchte
    connector: lorawan
    licence: CC0-1.0
    url: "mqtt://127.0.0.1:{port}"
    queue: {{client_id: civitas-funkstadt, quiet: 1 s, batch: 10}}
    profiles:
      Bodensonde:
        - {{path: feuchte, observed_property: soil.moisture, unit: "%"}}
"""
# A run whose process dies while it takes the second batch of the queue: before that has landed, or after.
KILLED = """
import os, signal, sys
from civitas_assets import cli
from civitas_assets.ingest.session import LandingSession

deliver, calls = LandingSession.deliver, []

def deadly(self, *arguments):
    calls.append(arguments)
    if len(calls) == 2 and sys.argv[1] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    deliver(self, *arguments)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

LandingSession.deliver = deadly
sys.argv[1:] = ["run", "--tenant", "funkstadt"]
cli.main()
"""


def uplink(number: int) -> bytes:
    """A message as ChirpStack publishes it, with a key that a codec should not have put out."""
    return json.dumps(
        {
            "time": f"2026-08-21T10:{number // 60:02}:{number % 60:02}+00:00",
            "deviceInfo": {"devEui": "00AA", "deviceName": "Sonde", "deviceProfileName": "Bodensonde"},
            "fCnt": number,
            "object": {"feuchte": number / 2, "app_key": "5ecret"},
            "rxInfo": [{"gatewayId": "g1"}, {"gatewayId": "g2"}],
        }
    ).encode()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_process_that_is_killed_between_receiving_and_acknowledging_loses_nothing(
    workplace: Workplace, broker: Callable[..., AbstractContextManager[int]], moment: str
) -> None:
    with broker(more="max_inflight_messages 10") as port:
        workplace.write_tenant("funkstadt", TENANT.format(port=port))
        first = workplace.run("funkstadt")
        assert not first.errors, first.errors

        publish(port, "application/7/device/00aa/event/up", [uplink(n) for n in range(40)])
        environment = workplace.environment()
        command = [sys.executable, "-c", KILLED, moment]
        killed = subprocess.run(command, env=environment, capture_output=True, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()

        second = workplace.run("funkstadt")
        assert not second.errors, second.errors
    published = "select count(*), count(distinct phenomenon_start_at), sum(value) from observation"
    assert workplace.ask("funkstadt", published) == [(40, 40, sum(range(40)) / 2)]
    assert workplace.ask("funkstadt", "select count(*) from observation_revision") == [(0,)]
    assert workplace.ask("funkstadt", "select count(*) from rejected_record") == [(0,)]
    kept = [path.read_bytes() for path in workplace.settings.home.rglob("*") if path.is_file()]
    assert not any(b"5ecret" in body or b"gatewayId" in body for body in kept)


def test_queue_that_its_broker_has_forgotten_is_an_error_and_the_rest_goes_on(
    workplace: Workplace, broker: Callable[..., AbstractContextManager[int]]
) -> None:
    with broker(more="persistent_client_expiration 1h") as port:
        workplace.write_tenant("funkstadt", TENANT.format(port=port))
        assert workplace.run("funkstadt").ok
    for state in (workplace.folder / "broker").glob("*.db"):
        state.unlink()
    with broker(port=port):
        forgotten = workplace.run("funkstadt")
        assert "had forgotten the session civitas-funkstadt" in str(forgotten.errors)
        assert workplace.run("funkstadt").ok, "the loss is named once, and then the new session counts"
