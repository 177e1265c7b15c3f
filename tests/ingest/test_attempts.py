"""A payload whose reading ends the process is left out after two times, with words; what can be read is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.connectors.registry import CONNECTORS
from tests.ingest.conftest import Publisher, Town

pytestmark = pytest.mark.integration

# Reads the town's sources as a run does; a payload that says so ends the process, as native code may.
_READ = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from conftest import Publisher, Town
from civitas_assets.connectors.registry import CONNECTORS

csv = CONNECTORS["csv"]
read = type(csv).read

def deadly(self, source, payload):
    if b"deadly" in payload.body:
        os.kill(os.getpid(), signal.SIGSEGV)
    yield from read(self, source, payload)

type(csv).read = deadly
town = Town(Path(sys.argv[1]), Publisher())
town.with_sources(bad={"each": {"file": ("a", "b")}}, good={"each": {"file": ("c",)}})
for name, report in town.read().items():
    print(name, report.payloads, "; ".join(report.errors))
"""
ROWS = "id,t,v\n{},2026-07-01T00:00:00Z,1\n"


def test_what_ends_the_process_twice_is_left_out_and_its_neighbours_are_read(
    town: Town, publisher: Publisher
) -> None:
    town.with_sources(bad={"each": {"file": ("a", "b")}}, good={"each": {"file": ("c",)}})
    publisher.bodies |= {name: ROWS.format(name).encode() for name in ("a.csv", "c.csv")}
    publisher.bodies["b.csv"] = b"deadly"
    town.fetch()
    # The first time together with another one, then alone.
    for _ in range(2):
        assert read(town).returncode == -signal.SIGSEGV
    done = read(town)
    assert done.returncode == 0
    bad, good = done.stdout.splitlines()
    assert bad.startswith(
        "bad 1 https://data.example/b.csv (6 bytes) has ended the process that read it 2 times"
    )
    assert good == "good 1 "
    assert sorted(town.values("datastream_id")) == [("a.csv",), ("c.csv",)]
    # It stays told, and nothing is read again for it.
    assert read(town).stdout.splitlines() == [bad.replace("bad 1", "bad 0"), "good 0 "]

    publisher.bodies["b.csv"] = ROWS.format("b.csv").encode()
    town.fetch()
    assert read(town).stdout.splitlines() == ["bad 1 ", "good 0 "]


def read(town: Town) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _READ, str(town.home), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )


def test_what_is_raised_ends_nothing_and_does_not_count(
    town: Town, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.bodies["a.csv"] = ROWS.format("a.csv").encode()
    town.fetch()

    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(CONNECTORS["csv"]), "read", interrupted)
        for _ in range(3):
            with pytest.raises(KeyboardInterrupt):
                town.read()
    assert town.read()["s"].errors == []
    assert len(town.values()) == 1
