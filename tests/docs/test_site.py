"""The documentation becomes a site without a warning, whose pages fetch nothing from anywhere else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from civitas_assets.settings import PROJECT_DIR


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "docs", str(folder)]
    done = subprocess.run(command, check=False, cwd=PROJECT_DIR, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_pages_fetch_nothing_from_other_servers(site: Path) -> None:
    fetched = re.compile(r"""<(?:script|img|iframe|link)\b[^>]*(?:src|href)=["'](https?:)?//""")
    for page in site.rglob("*.html"):
        assert not fetched.search(page.read_text(encoding="utf-8")), page.relative_to(site)


def test_diagrams_are_drawn(site: Path) -> None:
    page = (site / "models" / "observation.html").read_text(encoding="utf-8")
    assert 'aria-roledescription="er"' in page
    assert "observed_property" in page
