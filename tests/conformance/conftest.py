"""How many documents are tried: a few in the test command, many with `make conform`, which also shrinks what fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

_MANY = os.environ.get("CIVITAS_CONFORMANCE_EXAMPLES", "")

settings.register_profile(
    "conformance",
    max_examples=int(_MANY or "8"),
    deadline=None,
    derandomize=not _MANY,
    phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if _MANY else [])],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@pytest.fixture(scope="session")
def schemas() -> Path:
    """Published schemas; without them the test is skipped, and says so."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "schemas"
    if not folder.is_dir():
        pytest.skip("published schemas are not beside this repository (../shared/schemas)")
    return folder
