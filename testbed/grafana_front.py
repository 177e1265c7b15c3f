"""Grafana's own front end, as far as it is published, with what `tests/deploy/grafana` joins to it.

The packages come from the npm registry (Apache-2.0), several hundred of others with them; only what is made of them is
kept, in the environment, until the lock or the sources change. Nothing of it is delivered.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent / "tests" / "deploy" / "grafana"
_ICONS = Path("public/build/img/icons")  # where the packages ask for them
_INSTALL = "npm ci --omit=peer --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error"
_BUNDLE = (
    "node_modules/.bin/esbuild main.jsx --bundle --splitting --format=esm --jsx=automatic --loader:.ttf=file"
    " --log-level=error --outdir=page"
)
_PRODUCTION = '--define:process.env.NODE_ENV="production"'


def find_front() -> Path:
    """The folder of the page, which may not have been made."""
    state = hashlib.sha256()
    for file in (*sorted(SOURCES.iterdir()), Path(__file__)):
        state.update(file.read_bytes())
    return Path(sys.prefix) / "oracles" / f"grafana-{state.hexdigest()[:12]}"


def make_front() -> None:
    """Make the page, if nobody has; a subprocess.CalledProcessError says that packages cannot be had."""
    page = find_front()
    page.parent.mkdir(exist_ok=True)
    with (page.parent / f"{page.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if page.is_dir():
            return
        work = page.with_name(f"{page.name}.new")
        shutil.rmtree(work, ignore_errors=True)
        try:
            shutil.copytree(SOURCES, work)
            subprocess.run(_INSTALL.split(), cwd=work, check=True)
            subprocess.run([*_BUNDLE.split(), _PRODUCTION], cwd=work, check=True)
            shutil.copy(work / "index.html", work / "page")
            shutil.copytree(work / "node_modules/@grafana/ui/dist/public/img/icons", work / "page" / _ICONS)
            (work / "page").rename(page)
        finally:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    make_front()
