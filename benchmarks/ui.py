"""How soon the Dagster UI is there: a development server from its start, and the graph of many tenants in a browser.

What runs cost is in `nights.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.many_towns import TENANTS
from benchmarks.town import Figures
from civitas_assets.endpoint import find_free_port
from civitas_assets.harmonise.prepare import prepare_project
from civitas_assets.settings import PROJECT_DIR, Settings
from testbed.browser import chromium, program
from testbed.towns import write_towns

_PATIENCE = 180  # seconds
_LOADED = "{locationStatusesOrError {... on WorkspaceLocationStatusEntries {entries {loadStatus}}}}"


def development_server(folder: Path) -> Figures:
    """As `make dev` starts it, on the tenants that come with the project, until the code location is loaded."""
    with _serving(folder, Settings().tenants_dir) as (_, seconds):
        return {"seconds": seconds}


def graph_of_500_tenants(folder: Path, size: int = TENANTS) -> Figures:
    """The page with the graph of all assets, from its address to its last group; sources have names of their own."""
    tenants = folder / "tenants"
    write_towns(tenants, size)
    executable = program()
    assert executable, "Chromium is not installed; on Debian: apt-get install chromium"
    with _serving(folder, tenants) as (url, started), chromium(executable) as browser:
        page = browser.new_page(viewport={"width": 1500, "height": 950})
        page.goto(f"{url}/server_info")  # the browser itself is no part of it
        begun = time.monotonic()
        page.goto(f"{url}/asset-groups")
        for group in ("landing", "records", "staging", "shared", "published"):
            page.locator("svg foreignObject").get_by_text(group, exact=True).first.wait_for()
        seconds = time.monotonic() - begun
    return {"seconds": seconds, "tenants": float(size), "until the server answers": started}


@contextmanager
def _serving(folder: Path, tenants: Path) -> Iterator[tuple[str, float]]:
    """Where the UI is, and how long it took until it had loaded the code location."""
    home = folder / "dagster"
    home.mkdir(parents=True)
    shutil.copy(PROJECT_DIR / "deploy" / "dagster.yaml", home)
    environment = {
        **os.environ,
        "CIVITAS_HOME": str(folder / "home"),
        "CIVITAS_TENANTS_DIR": str(tenants),
        "DAGSTER_HOME": str(home),
        "VIRTUAL_ENV": sys.prefix,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    prepare_project(Settings(home=folder / "home"))  # once per installation
    subprocess.run(["dagster", "instance", "migrate"], env=environment, check=True, capture_output=True)
    port = find_free_port()
    url = f"http://127.0.0.1:{port}"
    begun = time.monotonic()
    with (folder / "server.log").open("wb") as log, _process(port, environment, log.fileno()):
        while not _loaded(url):
            assert time.monotonic() - begun < _PATIENCE, (folder / "server.log").read_text()[-2000:]
            time.sleep(0.1)
        yield url, time.monotonic() - begun


@contextmanager
def _process(port: int, environment: Mapping[str, str], log: int) -> Iterator[None]:
    command = ["dg", "dev", "--use-active-venv", "--port", str(port)]
    process = subprocess.Popen(
        command, env=environment, cwd=PROJECT_DIR, stdout=log, stderr=log, start_new_session=True
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _loaded(url: str) -> bool:
    body = json.dumps({"query": _LOADED}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            found = json.load(response)["data"]["locationStatusesOrError"]["entries"]
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return bool(found) and all(entry["loadStatus"] == "LOADED" for entry in found)
