"""Environments of packages that are compared with, which want other versions than this project has locked.

Each is made once per run of a benchmark, in its folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def make_environment(folder: Path, variable: str, *packages: str) -> Path | None:
    """The Python that has these packages: the one that a variable of the environment names, or a new one.

    None where they cannot be installed, which is said.
    """
    if given := os.environ.get(variable):
        return Path(given)
    python = folder / "bin" / "python"
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "-q", "--no-input", *packages],
    ):
        if subprocess.run(command, capture_output=True, check=False).returncode:
            print(f"{', '.join(packages)} cannot be installed, so nothing is compared", file=sys.stderr)
            return None
    return python
