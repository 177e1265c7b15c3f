"""Takes the pictures of the documentation from the sample towns: morning page, browser, asset graph and health.

`make demo pictures` makes the towns first. Each picture is a PNG of 1280 by 800 points in `docs/_static`. Look at them
before they are committed: nothing on them may say whose machine they were taken on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from playwright.sync_api import Browser, Page

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from civitas_assets.endpoint import find_free_port  # noqa: E402
from civitas_assets.pipeline.outcomes import WELL  # noqa: E402
from testbed.browser import chromium, program  # noqa: E402 - beside the package, not within

TOWN = "musterstadt"
PICTURES = PROJECT / "docs" / "_static"
SIZE = {"width": 1280, "height": 800}
LARGEST = 150_000  # bytes
_PATIENCE = 180.0  # seconds


def main() -> None:
    """Take all pictures."""
    home = Path(os.environ.get("CIVITAS_HOME", PROJECT / "data" / "demo")).absolute()
    if not (home / "published" / TOWN).is_dir():
        sys.exit(f"{home} holds no sample towns: make demo")
    executable = program()
    if executable is None:
        sys.exit("Chromium is not installed; on Debian: apt-get install chromium")
    os.environ |= {
        "CIVITAS_HOME": str(home),
        "CIVITAS_TENANTS_DIR": str(home / "tenants"),
        "CIVITAS_REACHABLE": "127.0.0.0/8",
        "DAGSTER_HOME": str(home / "dagster"),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "CIVITAS_SCHEDULES": "stopped",
    }
    with chromium(executable) as browser:
        take_morning_page(browser, home / "reports")
        take_browser(browser)
        fill_history(home / "dagster")
        with webserver() as url:
            take_graph(browser, url)
            take_health(browser, url)


def take_morning_page(browser: Browser, reports: Path) -> None:
    """The page of the town that has a source that is down."""
    with opened(browser) as page:
        page.goto((reports / "probeheim" / "index.en.html").as_uri())
        take(page, "morning-page")


def take_browser(browser: Browser) -> None:
    """Map and series of a town, as `civitas browse` shows them."""
    from civitas_assets.browse.server import serve  # noqa: PLC0415 - after the variables are set
    from civitas_assets.settings import Settings  # noqa: PLC0415

    with serve(Settings(), TOWN) as (address, _), opened(browser) as page:
        page.goto(address)
        page.get_by_role("tab", name="Map and series").click()
        shown = page.locator("iframe:visible").first.content_frame
        shown.locator("svg").nth(1).wait_for()
        take(page, "browse")


def take_graph(browser: Browser, url: str) -> None:
    """The groups of assets in Dagster, from what was fetched to what is published."""
    with opened(browser) as page:
        page.goto(f"{url}/asset-groups")
        page.locator("svg foreignObject").get_by_text("published", exact=True).first.wait_for()
        page.wait_for_load_state("networkidle")
        take(page, "asset-graph")


def take_health(browser: Browser, url: str) -> None:
    """How each town is: the partitions of the verdict, and what is wrong with the one that is not well."""
    with opened(browser) as page:
        page.goto(f"{url}/assets/tenants/health?view=checks&checkDetail={WELL}")
        page.get_by_role("tab", name="Partitions").nth(1).click()  # of the check, not of the asset
        page.get_by_text("Failed (1)", exact=True).first.wait_for()
        page.get_by_text("probeheim", exact=True).locator("visible=true").last.click()
        page.get_by_text("Flusspegel").first.wait_for()
        page.wait_for_load_state("networkidle")
        take(page, "health")


@contextmanager
def opened(browser: Browser) -> Iterator[Page]:
    """A page of the size of the pictures, in light colours and German time, without movement."""
    context = browser.new_context(
        viewport=SIZE,
        color_scheme="light",
        locale="en-GB",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )
    context.set_default_timeout(_PATIENCE * 1000)
    try:
        yield context.new_page()
    finally:
        context.close()


def take(page: Page, name: str) -> None:
    """Keep what is on the page."""
    body = page.screenshot(animations="disabled", caret="hide")
    if len(body) > LARGEST:
        sys.exit(f"{name} has {len(body)} bytes, and may have {LARGEST}")
    (PICTURES / f"{name}.png").write_bytes(body)
    print(f"{name}.png: {len(body)} bytes")  # noqa: T201 - what the script is asked for


def fill_history(folder: Path) -> None:
    """Take into Dagster's history what the towns' runs have left for it, as the sensor does where the daemon runs."""
    import dagster as dg  # noqa: PLC0415 - after the variables are set

    from civitas_assets.defs.shell_runs import record_shell_runs  # noqa: PLC0415
    from civitas_assets.settings import Settings  # noqa: PLC0415

    folder.mkdir(exist_ok=True)
    shutil.copy(PROJECT / "deploy" / "dagster.yaml", folder)
    with dg.DagsterInstance.get() as instance:
        record_shell_runs(Settings(), instance)


@contextmanager
def webserver() -> Iterator[str]:
    """The address of the UI with what the towns' runs have made."""
    port = find_free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "civitas_assets.webserver", "-w", "workspace.yaml", "-p", str(port)]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
        command,
        cwd=PROJECT,
        env={**os.environ, "CIVITAS_UI_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + _PATIENCE
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit("the webserver did not start")
            time.sleep(0.5)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/server_info", timeout=5):  # noqa: S310 - our own server
            return True
    except (URLError, OSError):
        return False


if __name__ == "__main__":
    main()
