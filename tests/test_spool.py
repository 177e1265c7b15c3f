"""Bodies are in memory while they are small, and then in a file that nobody else finds."""

from __future__ import annotations

import hashlib
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from civitas_assets import spool
from civitas_assets.errors import StoreError
from civitas_assets.spool import (
    hash_body,
    keep_pieces,
    measure_body,
    read_head,
    read_pieces,
    read_whole,
)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(spool, "MOST_IN_MEMORY", 8)
    monkeypatch.setattr(spool, "_PIECE", 4)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.mark.parametrize("size", [0, 8, 9, 30])
def test_a_body_is_what_was_written_wherever_it_is(size: int, tmp_path: Path) -> None:
    whole = bytes(range(size))
    body = keep_pieces(whole[at : at + 5] for at in range(0, size, 5))
    assert isinstance(body, bytes) == (size <= 8)
    assert not [*tmp_path.iterdir()]
    assert (read_whole(body), measure_body(body), read_head(body, 3)) == (whole, size, whole[:3])
    assert hash_body(body) == hashlib.sha256(whole).hexdigest()
    assert b"".join(read_pieces(body)) == whole
    assert all(whole[at : at + 3] in b"|".join(read_pieces(body, 2)) for at in range(size - 2))


@contextmanager
def no_files_beyond(size: int) -> Iterator[None]:
    """Files of this process find no room for more bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_where_there_is_no_room_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = f"{tmp_path}: File too large.*TMPDIR"
    for last in (b"9" * 20_000, b"9"):  # of which the system hears at once, and as late as the file is closed
        with no_files_beyond(8), pytest.raises(StoreError, match=said):
            keep_pieces(iter([b"12345678", last]))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(StoreError, match=r"gone: No such file.*TMPDIR"):
        keep_pieces(iter([b"123456789"]))
