"""A lock that all take in turn is waited for, but not for ever."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from civitas_assets.errors import StoreError
from civitas_assets.store.locks import hold_shared_lock


def test_it_is_waited_for(tmp_path: Path) -> None:
    taken: list[str] = []

    def second() -> None:
        with hold_shared_lock(tmp_path, "commons"):
            taken.append("second")

    with hold_shared_lock(tmp_path, "commons"):
        thread = threading.Thread(target=second)
        thread.start()
        taken.append("first")
    thread.join()
    assert taken == ["first", "second"]


def test_patience_ends_with_an_error_that_says_who_is_waited_for(tmp_path: Path) -> None:
    with (
        hold_shared_lock(tmp_path, "commons"),
        pytest.raises(StoreError, match="commons was locked by others"),
        hold_shared_lock(tmp_path, "commons", lock_timeout=0.1),
    ):
        pass
