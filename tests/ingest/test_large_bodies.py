"""A large body never is in memory as a whole, on its way to landing and from there; half of one is nowhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from testbed.serving import Request, serving

_READ = """
import resource, sys
from datetime import UTC, date, datetime
from pathlib import Path
from civitas_assets.catalog import Tenant, Window
from civitas_assets.connectors.reachable import LOCAL
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.ingest.apart import stop_reader
from civitas_assets.ingest.fetch import fetch_sources
from civitas_assets.ingest.read_all import read_sources
from civitas_assets.records import RECORD_TYPES
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.stores import Stores

address, home = sys.argv[1:]
source = CONNECTORS["csv"].source_model.model_validate({
    "title": "Test", "licence": "CC0-1.0", "url": address, "record_type": "observation", "connector": "csv",
    "fields": {"datastream_id": "id", "value": "count"}, "ignore": ("note",), "drop": {"id": "other"},
    "time": {"column": "time", "zone": "offset"}, "http": {"max_bytes": 2_000_000_000},
    "constants": {"station_id": "1", "observed_property": "traffic.bicycle_count", "unit": "1"},
})
box = (7.0, 51.0, 8.0, 52.0)
tenant = Tenant.model_validate(
    {"name": "Town", "ags": "05515000", "bbox": box, "sources": {"s": source.with_place("s", box)}}
).with_key("town")
files, now = LocalFiles(Path(home)), datetime(2026, 7, 3, tzinfo=UTC)
window = Window(date(2026, 7, 1), date(2026, 7, 2))
stores = Stores.for_tenant(files, "town")
with HttpClient("test", clock=lambda: now, secrets=str, reachable=LOCAL) as client:
    (fetched,) = fetch_sources(tenant, tenant.sources, CONNECTORS, window, files, client, lambda: now)
(read,) = read_sources(tenant, tenant.sources, CONNECTORS, stores, "run")
stop_reader()
assert fetched.ok and read.ok, (fetched, read)
who = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
rejected = stores.quarantine.read_rows()["row"].to_list()
print(max(resource.getrusage(each).ru_maxrss for each in who), read.counts["observation"].new, *rejected)
"""
_NOTE = "\u00fc" * 300
_START = datetime(2026, 7, 1, tzinfo=UTC)


def rows_of(count: int) -> Iterator[bytes]:
    """A file with so many thousand rows of 640 bytes: of twenty, one is meant, and of those, one is no number."""
    yield b"id,time,count,note\n"
    for thousand in range(count):
        yield "".join(
            f"{'other' if n % 20 else 's'},{_START + timedelta(seconds=n)},{'drei' if n == 60_020 else n % 9},{_NOTE}\n"
            for n in range(thousand * 1000, thousand * 1000 + 1000)
        ).encode()


@pytest.mark.integration
def test_memory_does_not_grow_with_the_body_and_rows_are_counted_through(tmp_path: Path) -> None:
    def give(request: Request) -> None:
        request.send_response(200)
        request.end_headers()
        for part in rows_of(int(request.path[1:])):
            request.wfile.write(part)

    peaks = list[int]()
    with serving(give) as port:
        for count in (70, 280):  # 45 and 180 MB
            script = [
                sys.executable,
                "-c",
                _READ,
                f"http://127.0.0.1:{port}/{count}",
                str(tmp_path / str(count)),
            ]
            done = subprocess.run(script, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            peak, *found = map(int, done.stdout.split())
            assert found == [count * 50 - 1, 60_021]
            peaks.append(peak)
    assert peaks[1] < peaks[0] * 1.3, peaks


class Breaking(httpx2.SyncByteStream):
    """A file that is cut off, and `spooled`, whether it was in a file of the folder by then."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.spooled = folder, False

    def __iter__(self) -> Iterator[bytes]:
        yield from rows_of(4)
        opened = [each.readlink() for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
        self.spooled = any(each.is_relative_to(self.folder) for each in opened)
        raise httpx2.ReadError("connection reset")


def test_a_transfer_that_breaks_in_a_file_leaves_nothing(
    town: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("civitas_assets.spool.MOST_IN_MEMORY", 1_000_000)
    (folder := tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    stream = Breaking(folder)
    town.client._client._transport = httpx2.MockTransport(lambda _: httpx2.Response(200, stream=stream))
    report = town.fetch()["s"]
    assert "gave no whole answer: ReadError" in report.error
    assert stream.spooled
    assert not [*folder.iterdir()]
    assert not town.landing().list_sizes()
