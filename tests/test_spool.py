"""Bodies are in memory while they are small, and then in a file that nobody else finds."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import pytest

from civitas_assets import spool
from civitas_assets.errors import StoreError
from civitas_assets.spool import (
    Spool,
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


def test_where_there_is_no_room_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    begun = Spool()
    begun.write(b"12345")
    monkeypatch.setattr(spool.BodyFile, "write", full)
    with pytest.raises(StoreError, match=f"{tmp_path}: No space left.*TMPDIR"):
        begun.write(b"6789")
