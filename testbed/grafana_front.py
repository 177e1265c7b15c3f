"""Grafana's own front end, as far as it is published, with what `tests/deploy/grafana` joins to it.

The packages come from the npm registry (Apache-2.0), several hundred of others with them. They are kept in the
environment, with the page that is made of them: to delete 40,000 files takes some disks longer. Nothing is delivered.
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
_INSTALL = (
    "npm ci --omit=peer --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error"
    # By itself it waits five minutes for an answer, and one between tries, also where there is no network.
    " --fetch-retries=1 --fetch-retry-mintimeout=2000 --fetch-retry-maxtimeout=2000 --fetch-timeout=60000"
)
_BUNDLE = (
    "node_modules/.bin/esbuild main.jsx --bundle --splitting --format=esm --jsx=automatic --loader:.ttf=file"
    " --minify --log-level=error --outdir=page"
)
_PRODUCTION = '--define:process.env.NODE_ENV="production"'


def find_front() -> Path:
    """The folder of the page, which may not have been made."""
    return _folder() / "page"


def make_front() -> None:
    """Make the page, if nobody has; a subprocess.CalledProcessError says that packages cannot be had."""
    folder = _folder()
    folder.parent.mkdir(exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():
            return
        work = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(SOURCES, work, ignore=shutil.ignore_patterns("node_modules"))
        subprocess.run(_INSTALL.split(), cwd=work, check=True)
        subprocess.run([*_BUNDLE.split(), _PRODUCTION], cwd=work, check=True)
        shutil.copy(work / "index.html", work / "page")
        shutil.copytree(work / "node_modules/@grafana/ui/dist/public/img/icons", work / "page" / _ICONS)
        work.rename(folder)


def _folder() -> Path:
    state = hashlib.sha256()
    for file in (*sorted(SOURCES.glob("*.*")), Path(__file__)):
        state.update(file.read_bytes())
    return Path(sys.prefix) / "oracles" / f"grafana-{state.hexdigest()[:12]}"


def _main() -> None:
    if shutil.which("npm") is None:
        sys.exit("Grafana's front end is made by npm, which is not here (Debian's package: npm)")
    try:
        make_front()
    except subprocess.CalledProcessError as error:
        sys.exit(
            f"Grafana's front end cannot be made here: {error.cmd[0]} ended with {error.returncode}, see above"
        )


if __name__ == "__main__":
    _main()
