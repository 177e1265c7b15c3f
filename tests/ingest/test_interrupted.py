"""A fetch that is killed or out of time: what it got is not asked for again, and nothing is left behind."""

from __future__ import annotations

import http.server
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.retention import apply_retention
from testbed.serving import Request
from tests.ingest.conftest import Publisher, Town

pytestmark = pytest.mark.integration

ADDRESSES, KILLED_AT = 365, 257

# Fetches one source of a town as a run does, in a process that can be killed.
_FETCH = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from civitas_assets.catalog import Tenant, Window
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.connectors.reachable import LOCAL
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.ingest.fetch import fetch_sources
from civitas_assets.store.files import LocalFiles

home, url = sys.argv[1:]
box = (7.0, 51.0, 8.0, 52.0)
source = CONNECTORS["csv"].source_model.model_validate({
    "connector": "csv", "title": "Test", "licence": "CC0-1.0", "url": url + "/{file}.csv",
    "each": {"file": tuple(str(number) for number in range(365))},
    "record_type": "observation", "time": {"column": "t", "zone": "utc"},
    "fields": {"datastream_id": "id", "value": "v"}, "http": {"requests_per_second": 200.0, "attempts": 1},
}).with_place("s", box)
tenant = Tenant.model_validate({"name": "T", "ags": "05515000", "bbox": box, "sources": {"s": source}}).with_key("town")
now = lambda: datetime.now(UTC)
with HttpClient("test", clock=now, secrets=str, reachable=LOCAL) as client:
    (report,) = fetch_sources(tenant, tenant.sources, CONNECTORS, None, LocalFiles(Path(home)), client, now)
sys.exit(report.error or 0)
"""


class Killer(http.server.ThreadingHTTPServer):
    """Answers every address with a body of its own, and kills who asks for the 257th."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked = Counter[str]()
        self.victim = 0
        self.lock = threading.Lock()


class _Answer(Request):
    protocol_version = "HTTP/1.1"
    server: Killer

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.asked[self.path] += 1
            if self.server.victim and sum(self.server.asked.values()) == KILLED_AT:
                os.kill(self.server.victim, signal.SIGKILL)
        body = f"id,t,v\n{self.path},2026-07-01T00:00:00Z,1\n".encode()
        with suppress(OSError):
            self.reply(body)


@pytest.fixture
def server() -> Iterator[Killer]:
    with Killer() as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_fetch_that_is_killed_goes_on_where_it_was_and_no_body_stays_without_a_line(
    server: Killer, town: Town
) -> None:
    def fetch() -> subprocess.Popen[bytes]:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        return subprocess.Popen(
            [sys.executable, "-c", _FETCH, str(town.home), url], env={**os.environ, "NO_PROXY": "*"}
        )

    with fetch() as process:
        server.victim = process.pid
    assert process.returncode == -signal.SIGKILL
    server.victim = 0
    with fetch() as process:
        pass
    assert process.returncode == 0
    assert len(server.asked) == ADDRESSES
    again = sum(server.asked.values()) - ADDRESSES
    assert again <= 16 + 8  # one part, and what was on its way
    assert named(town) == stored(town)
    assert len(named(town)) == ADDRESSES


def test_a_fetch_that_ran_out_of_time_goes_on_where_it_was_unless_that_is_too_long_ago(
    town: Town, publisher: Publisher
) -> None:
    files = tuple(f"{number}" for number in range(90))
    publisher.bodies |= {f"{name}.csv": name.encode() for name in files}
    http = {"fetch_time": "1 min", "parallel": 1, "requests_per_second": 1.0}
    town.with_sources(s={"each": {"file": files}, "http": http})
    town.fetch()
    first = {*publisher.paths}
    assert 60 <= len(first) <= 62
    assert not town.landing().read_answered().is_whole
    publisher.asked.clear()
    town.now -= timedelta(hours=13)  # as a fetch is said to be a day later
    assert town.fetch()["s"].ok
    assert {*publisher.paths}.isdisjoint(first)
    assert {*publisher.paths} | first == {f"{name}.csv" for name in files}
    assert town.landing().read_answered().is_whole

    publisher.asked.clear()
    town.fetch()
    assert len(publisher.asked) >= 60


class Killed(BaseException):
    """Nobody catches it."""


def test_what_is_known_of_addresses_is_known_by_all_manifests(
    town: Town, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A, then B with a kill before the index is written, then A again: A is what is published."""
    rows = "id,t,v\nx,2026-07-01T00:00:00Z,{}\n"
    publisher.bodies["a.csv"] = rows.format(1).encode()
    town.night()
    publisher.bodies["a.csv"] = rows.format(2).encode()

    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(SourceLanding, "write_addresses", killed)
        with pytest.raises(Killed):
            town.fetch()
    assert not town.landing().read_answered().is_whole  # so that nothing is taken for gone
    town.read()
    publisher.bodies["a.csv"] = rows.format(1).encode()
    town.night()
    assert town.values("revision", "value") == [(1, 1.0), (2, 2.0), (3, 1.0)]


def test_bodies_that_have_no_line_go_with_retention(town: Town, publisher: Publisher) -> None:
    """Of an older version's fetch, or one that was killed between a body and its line; others stay."""
    publisher.bodies["a.csv"] = b"id,t,v\n"
    town.fetch()
    lost = town.landing().store(b"x" * 100)
    kept = named(town)
    assert stored(town) == kept | {lost}
    before = apply_retention(town.tenant, town.stores, town.now, dry_run=True)
    assert (before.bodies, stored(town)) == (1, kept | {lost})
    assert apply_retention(town.tenant, town.stores, town.now).bodies == 1
    assert stored(town) == kept
    # Looked for once, and again only after a fetch that was interrupted.
    town.landing().store(b"y")
    assert not apply_retention(town.tenant, town.stores, town.now)


def named(town: Town) -> set[str]:
    return {line.sha256 for manifest in town.landing().list_manifests() for line in manifest.lines} - {""}


def stored(town: Town) -> set[str]:
    keys = town.files.list_keys("landing/town/s/bodies/")
    return {Path(key).name.removesuffix(".zst") for key in keys}
