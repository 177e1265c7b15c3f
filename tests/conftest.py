"""What all tests share: no network but loopback, the prepared dbt project, and `../shared` where that is there."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks.broker import mosquitto, program
from civitas_assets.harmonise.prepare import prepare
from civitas_assets.harmonise.project import Project
from civitas_assets.settings import Settings

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _is_loopback(host: object) -> bool:
    if host in ("localhost", "", None):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def no_network_but_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anything but loopback is an error of the test."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def payloads() -> Path:
    """Recorded payloads of real publishers; without them the test is skipped, and says so."""
    folder = SHARED / "payloads"
    if not folder.is_dir():
        pytest.skip("recorded payloads are not beside this repository (../shared/payloads)")
    return folder


@pytest.fixture
def broker(tmp_path: Path) -> Callable[..., AbstractContextManager[int]]:
    """Starts a broker whose state is in the test's folder; without one installed the test is skipped, and says so."""
    if program() is None:
        pytest.skip("mosquitto is not installed")
    return partial(mosquitto, tmp_path / "broker")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The dbt project, parsed once for all tests of a process."""
    return prepare(Settings(home=tmp_path_factory.mktemp("prepared")))
