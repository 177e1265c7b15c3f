"""Reading in a process of its own: what it gives comes back; what ends it is told in words and ends nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import polars as pl
import pytest

from civitas_assets.catalog.frame import Frame
from civitas_assets.errors import ReadError, ReadStopped
from civitas_assets.ingest.apart import _reader, call_apart
from civitas_assets.ingest.bounds import ReadLimits, find_memory_limit
from civitas_assets.ingest.handing_over import is_read_apart
from civitas_assets.spool import BodyFile, hash_body, read_head, read_whole
from tests.ingest.conftest import Publisher, Town

BOUNDS = ReadLimits(400_000_000, 30.0)


@pytest.mark.parametrize(
    ("call", "seen"),
    [
        (
            (os.abort,),
            r"ended the process that read it \(SIGABRT\), in native code or because it needs more than",
        ),
        ((signal.raise_signal, signal.SIGSEGV), r"ended the process that read it \(SIGSEGV\)"),
        (
            (signal.raise_signal, signal.SIGKILL),
            "was killed, most likely because memory of the machine ran out",
        ),
        ((os._exit, 3), r"ended the process that read it \(exit code 3\)"),
        ((bytearray, 2_000_000_000), "needs more than 381.5MiB of memory .* raise CIVITAS_MAX_MEMORY"),
        # Polars ends its process where it gets no memory.
        ((partial(pl.zeros, 300_000_000, eager=True),), r"\(SIGABRT\).* more than 381.5MiB of memory"),
    ],
)
def test_what_ends_the_child_is_told_and_the_next_one_is_read(call: Any, seen: str) -> None:
    with pytest.raises(ReadStopped, match=seen):
        call_apart(BOUNDS, *call)
    assert call_apart(BOUNDS, len, "abc") == 3


def test_what_takes_too_long_is_ended_even_within_native_code() -> None:
    with pytest.raises(ReadStopped, match=r"took longer than 0.2 s .* raise CIVITAS_MAX_READ_TIME"):
        call_apart(ReadLimits(BOUNDS.memory, 0.2), time.sleep, 60)


def test_a_fault_of_the_reader_itself_is_no_end() -> None:
    with pytest.raises(ReadError, match="cannot be read: unforeseen ZeroDivisionError; the log") as error:
        call_apart(BOUNDS, divmod, 1, 0)
    assert not isinstance(error.value, ReadStopped)


def test_of_what_a_fault_of_the_reader_ends_nothing_is_taken() -> None:
    with pytest.raises(ReadError, match="ZeroDivisionError"):
        next(_reader.call(BOUNDS, map, divmod, (4, 1), (2, 0)))


def test_a_file_may_be_read_on_where_it_was_handed_over() -> None:
    whole = bytes(range(256)) * 1000
    (body := BodyFile()).write(whole)
    assert read_head(body, 100) == whole[:100]
    assert call_apart(BOUNDS, hash_body, body) == hash_body(whole)
    assert read_head(body, 20_000) == whole[:20_000]
    assert read_whole(body) == whole


def test_one_child_reads_many_small_ones_and_another_one_after_a_large_one() -> None:
    first, second = call_apart(BOUNDS, os.getpid), call_apart(BOUNDS, os.getpid)
    assert first == second
    call_apart(BOUNDS, len, bytes(70_000_000))
    assert call_apart(BOUNDS, os.getpid) != first


@pytest.mark.parametrize(
    ("body", "apart"),
    [
        (b"PK\x03\x04", True),
        (b"\x1f\x8b\x08", True),
        (b"PAR1", True),
        (b"SQLite format 3\0", True),
        (b"<?xml version='1.0'?>", True),
        (b"id,v\n1,2\n", False),
        (b'{"a": 1}', False),
        (b"x" * 4_200_000, True),
    ],
)
def test_containers_markup_and_large_texts_are_read_apart(body: bytes, apart: bool) -> None:
    assert is_read_apart(body) is apart


def test_without_a_bound_most_of_the_machine_is_one() -> None:
    assert ReadLimits.from_frame(Frame()) == ReadLimits(find_memory_limit(), 1800.0)
    assert 100_000_000 < find_memory_limit() < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert ReadLimits.from_frame(Frame(max_memory=5, max_read_time=timedelta(seconds=2))) == ReadLimits(
        5, 2.0
    )


def large() -> bytes:
    """A file that is read apart: a few rows that are long."""
    rows = (f"d,{number},2026-07-01T00:{number:02},{'x' * 100_000}" for number in range(45))
    return "\n".join(["id,v,t,remark", *rows, ""]).encode()


def test_a_payload_beyond_its_memory_fails_with_words_and_its_neighbours_are_read(
    town: Town, publisher: Publisher, csv: Callable[..., bytes]
) -> None:
    def bounded(memory: int) -> None:
        town.with_sources(s={"each": {"file": ("a", "b")}})
        source = town.tenant.sources["s"]
        placed = source.limit_to(Frame(max_memory=memory)).with_place("s", town.tenant.bbox)
        town.tenant = town.tenant.model_copy(update={"sources": {"s": placed}})

    bounded(3_000_000)
    publisher.bodies |= {"a.csv": large(), "b.csv": csv(1)}
    report = town.night()
    (error,) = report.errors
    assert error.startswith("https://data.example/a.csv ")
    assert "CIVITAS_MAX_MEMORY" in error
    assert [row[2] for row in town.values()] == [1.0], "the neighbour is read"

    # Once more alone, then it is left out: nobody pays for it every quarter of an hour.
    assert "CIVITAS_MAX_MEMORY" in str(town.night().errors)
    again = town.night()
    assert again.payloads == 0
    assert "has ended the process that read it 2 times" in again.errors[0]

    bounded(2_000_000_000)
    assert town.night().errors == []
    assert len({row[1] for row in town.values()}) == 45


def test_a_process_that_has_imported_all_connectors_may_be_forked() -> None:
    script = """
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.ingest.apart import _has_only_imported, call_apart, fork_reader
from civitas_assets.ingest.bounds import ReadLimits
import os, polars as pl
for name in CONNECTORS:
    CONNECTORS[name]
assert _has_only_imported()
fork_reader()
bounds = ReadLimits(400_000_000, 30.0)
assert call_apart(bounds, pl.select, pl.lit(1)).item() == 1
pl.DataFrame({"a": [2, 1] * 50_000}).group_by("a").agg(pl.len()).sort("a")  # by the threads of its engine
assert not _has_only_imported()
print(call_apart(bounds, os.getppid), os.getpid())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    reader, own = done.stdout.split()
    assert reader != own


def test_what_a_library_has_open_may_be_closed_by_it_in_the_child() -> None:
    """PROJ opens its database as it is imported, and closes it in a copy of its process."""
    script = """
import os
database = os.open("/dev/null", os.O_RDONLY)
assert database == 3
from civitas_assets.ingest.apart import call_apart, fork_reader
from civitas_assets.ingest.bounds import ReadLimits
fork_reader()
bounds = ReadLimits(400_000_000, 30.0)
assert call_apart(bounds, os.close, database) is None
assert call_apart(bounds, len, "abc") == 3
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
