"""How soon pages are there: a development server from its start, and in a browser graph and health of many tenants.

A town's own browser is here, too. What runs cost is in `nights.py`.
"""

from __future__ import annotations

import json
import os
import resource
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

import dagster as dg

from benchmarks.many_towns import TENANTS
from benchmarks.town import Figures
from civitas_assets.browse.server import serve
from civitas_assets.defs.event_writing import find_target
from civitas_assets.endpoint import find_free_port
from civitas_assets.harmonise.prepare import prepare_project
from civitas_assets.pipeline.asset_names import HEALTH
from civitas_assets.pipeline.outcomes import WELL
from civitas_assets.settings import PROJECT_DIR, Settings
from testbed.browser import chromium, program
from testbed.output_file import write_output
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


def health_of_500_tenants(folder: Path, size: int = TENANTS) -> Figures:
    """How each tenant is, from the click on the partitions of the verdict until they are counted, beside one tenant."""
    found = {count: _health(folder / f"{count}", count) for count in (1, size)}
    return {"seconds": found[size], "seconds of one tenant": found[1], "tenants": float(size)}


def _health(folder: Path, size: int) -> float:
    tenants = folder / "tenants"
    write_towns(tenants, size, sources=1)
    health = dg.AssetKey(HEALTH.split("/"))
    executable = program()
    assert executable, "Chromium is not installed; on Debian: apt-get install chromium"
    with _serving(folder, tenants) as (url, _), chromium(executable) as browser:
        os.environ["DAGSTER_HOME"] = str(folder / "dagster")  # which its configuration names
        with dg.DagsterInstance.from_config(str(folder / "dagster")) as instance:
            for number, tenant in enumerate(sorted(file.stem for file in tenants.glob("*.yaml"))):
                instance.report_runless_asset_event(dg.AssetMaterialization(health, partition=tenant))
                passed = number > 0
                verdict = dg.AssetCheckEvaluation(
                    health,
                    WELL,
                    passed=passed,
                    target_materialization_data=find_target(instance, health, tenant),
                    partition=tenant,
                )
                instance.report_runless_asset_event(verdict)
        page = browser.new_page(viewport={"width": 1500, "height": 950})
        page.set_default_timeout(_PATIENCE * 1000)
        page.goto(f"{url}/assets/tenants/health?view=checks&checkDetail={WELL}")
        tab = page.get_by_role("tab", name="Partitions").nth(1)
        tab.wait_for()
        page.wait_for_load_state("networkidle")
        begun = time.monotonic()
        tab.click()
        for text in ("Failed (1)", f"Passed ({size - 1})"):
            page.get_by_text(text, exact=True).first.wait_for()
        return time.monotonic() - begun


def first_page_of_the_browser(folder: Path) -> Figures:
    """`civitas browse` from its call until a table is shown, in Chromium; the floor is a page of marimo's own."""
    settings = Settings(home=folder / "home", tenants_dir=folder / "tenants")
    write_output(settings, "town")
    executable = program()
    assert executable, "Chromium is not installed; on Debian: apt-get install chromium"
    os.environ |= {"CIVITAS_HOME": str(settings.home), "CIVITAS_TENANTS_DIR": str(settings.tenants_dir)}
    found = dict[str, tuple[float, float]]()
    with chromium(executable) as browser:
        page = browser.new_page()
        page.set_default_timeout(_PATIENCE * 1000)
        for name, opened, sign in (
            ("floor", _nothing(folder), page.locator("h1")),
            ("browse", serve(settings, "town"), page.frame_locator("iframe:visible").locator("table")),
        ):
            before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            with opened as (address, _):
                page.goto(address)
                sign.first.wait_for()
                seconds = time.monotonic() - begun
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            found[name] = (seconds, used)
    (seconds, used), (least, floor) = found["browse"], found["floor"]
    return {"seconds": seconds, "cpu_seconds": used, "floor": least, "cpu of the floor": floor}


@contextmanager
def _nothing(folder: Path) -> Iterator[tuple[str, object]]:
    """A notebook that shows a heading."""
    book, port = folder / "nothing.py", find_free_port()
    book.write_text(
        "import marimo\napp = marimo.App()\n"
        '@app.cell\ndef _():\n    import marimo as mo\n    mo.md("# Nothing")\n    return\n'
    )
    command = [
        sys.executable,
        "-m",
        "marimo",
        "run",
        str(book),
        "--port",
        str(port),
        "--headless",
        "--no-token",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        until = time.monotonic() + _PATIENCE
        while not _answers(url):
            assert process.poll() is None, "marimo did not start"
            assert time.monotonic() < until, "marimo did not answer"
            time.sleep(0.05)
        yield url, process
    finally:
        process.terminate()
        process.wait(30)


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


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _loaded(url: str) -> bool:
    body = json.dumps({"query": _LOADED}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            found = json.load(response)["data"]["locationStatusesOrError"]["entries"]
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return bool(found) and all(entry["loadStatus"] == "LOADED" for entry in found)
