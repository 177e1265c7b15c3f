"""The machine of these tests: it is started once, and its towns go on from test to test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.machine import Machine, serve_machine

# What the deployment makes of shared models beside them, and what of that it does not want to be published.
OWN = Path(__file__).parent / "own_models"


@pytest.fixture(scope="package")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with serve_machine(tmp_path_factory.mktemp("machine"), OWN) as machine:
        yield machine
