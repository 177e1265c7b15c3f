"""One machine without containers, from its start to the tables: over GraphQL, and by clicking in a real browser."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from civitas_assets.demo.towns import DOWN
from testbed.serving import Loopback

LAUNCH = """
mutation ($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
SELECTOR = {
    "repositoryLocationName": "civitas_assets",
    "repositoryName": "__repository__",
    "jobName": "nightly",
}
NUMBERS = """
{
  assetNodes {
    assetMaterializations(limit: 3) { metadataEntries { label __typename } }
    assetChecksOrError { ... on AssetChecks { checks {
      name partitionDefinition { name }
      executionForLatestMaterialization { evaluation { metadataEntries { label __typename } } }
    } } }
  }
}
"""
TAGS = "query ($id: ID!) {runOrError(runId: $id) {... on Run {tags {key value}}}}"
BY_OUTCOME = "query ($f: RunsFilter) {runsOrError(filter: $f) {... on Runs {results {runId}}}}"
PAGES = """
{
  assetOrError(assetKey: {path: ["tenants", "health"]}) {
    ... on Asset {
      assetMaterializations(limit: 50) { partition metadataEntries { label ... on UrlMetadataEntry { url } } }
    }
  }
}
"""
_PATIENCE = 120_000  # milliseconds
# What another page would do with the login of whoever has it open.
_FROM_ELSEWHERE = """
async url => {
  const body = '{"query": "{version}"}';
  const ask = {method: 'POST', headers: {'Content-Type': 'text/plain'}, body, mode: 'no-cors'};
  await fetch(url + '/graphql', ask).catch(() => null);
  const read = await fetch(url + '/graphql', {...ask, mode: 'cors', headers: {'Content-Type': 'application/json'}})
    .then(answer => answer.status, () => 'refused');
  const socket = await new Promise(done => {
    const opened = new WebSocket(url.replace('http', 'ws') + '/graphql', 'graphql-ws');
    opened.onopen = () => done('opened');
    opened.onerror = () => done('refused');
  });
  return [read, socket];
}
"""


def _status(machine: Any, headers: dict[str, str], query: str = "", body: bytes | None = None) -> int:
    request = urllib.request.Request(f"{machine.url}/graphql{query}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_graphql_is_answered_to_the_own_origin_by_post_alone(machine: Any) -> None:
    form, body = {"Content-Type": "application/json"}, b'{"query": "{version}"}'
    foreign = {"Origin": "https://anderswo.example"}
    assert _status(machine, form, body=body) == 200
    assert _status(machine, {**form, "Origin": machine.url}, body=body) == 200
    assert _status(machine, {**form, **foreign}, body=body) == 403
    assert _status(machine, {**form, "Host": "anderswo.example"}, body=body) == 403
    assert _status(machine, {"Content-Type": "text/plain"}, body=body) == 415
    assert _status(machine, {}, "?query=%7Bversion%7D") == 405


def test_a_page_of_another_origin_reaches_nothing_in_a_real_browser(
    machine: Any, browser: Any, tmp_path: Path
) -> None:
    """The page of a neighbouring port, which a browser takes for the same site, but not for the same origin."""
    (tmp_path / "index.html").write_text("<title>elsewhere</title>", encoding="utf-8")
    elsewhere = Loopback(partial(_Quiet, directory=str(tmp_path)))
    page = browser.new_page()
    try:
        page.goto(f"http://127.0.0.1:{elsewhere.port}/")
        assert page.evaluate(_FROM_ELSEWHERE, machine.url) == ["refused", "refused"]
        page.goto(machine.url, timeout=_PATIENCE)
        assert page.evaluate(_FROM_ELSEWHERE, machine.url) == [200, "opened"]
    finally:
        page.close()
        elsewhere.close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_run_launched_over_graphql_succeeds_and_its_tables_can_be_asked(machine: Any) -> None:
    launched = _launched(machine, "nightly", {}, "beispielhausen")
    assert launched["__typename"] == "LaunchRunSuccess", launched
    assert machine.run_ends(launched["run"]["runId"]) == "SUCCESS"
    answer = machine.civitas("query", "beispielhausen", "select count(*) > 0 as has_rows from observation")
    assert "true" in answer.lower()
    recorded = [json.loads(line) for line in machine.civitas("audit", "--json").splitlines()]
    assert ("ui", "launchRun", "begin") in {(e["where"], e["action"], e["event"]) for e in recorded}
    assert ("cli", "query", "begin") in {(e["where"], e["action"], e["event"]) for e in recorded}


def test_a_tenant_is_chosen_and_launched_by_clicking_and_its_checks_can_be_seen(
    machine: Any, browser: Any, tmp_path: Path
) -> None:
    page = browser.new_page(viewport={"width": 1500, "height": 950})
    page.set_default_timeout(_PATIENCE)
    try:
        _sees_the_asset_graph(page, machine.url)
        before = machine.runs("probeheim")
        _launches(page, machine.url, "probeheim")
        (run,) = set(machine.runs("probeheim")) - set(before)
        assert machine.run_ends(run) == "SUCCESS"
        _sees_checks(page, machine.url)
    finally:
        page.screenshot(path=tmp_path / "last.png")
        page.close()
    assert "varchar" in machine.civitas("query", "probeheim", "select name from station limit 1")


def test_monday_morning_leads_from_the_runs_to_the_page_that_says_why(
    machine: Any, browser: Any, tmp_path: Path
) -> None:
    """Three towns after a night with nothing new: one has a source that is down."""
    town, source = DOWN
    for _ in range(2):
        run = _launched(machine, "nightly_batch", {})["run"]["runId"]
        assert machine.run_ends(run) == "SUCCESS"
    tags = [{"key": "civitas/outcome", "value": "faults"}]
    assert run in {
        one["runId"] for one in machine.ask(BY_OUTCOME, {"f": {"tags": tags}})["runsOrError"]["results"]
    }
    pages = {
        made["partition"]: entry["url"]
        for made in machine.ask(PAGES)["assetOrError"]["assetMaterializations"]
        for entry in made["metadataEntries"]
        if entry["label"] == "page"
    }
    assert len(pages) == 3
    assert "FloatMetadataEntry" not in (told := json.dumps(machine.ask(NUMBERS))), "the UI would draw it"
    assert "IntMetadataEntry" not in told
    page = browser.new_page(viewport={"width": 1500, "height": 950})
    page.set_default_timeout(_PATIENCE)
    try:
        _sees_who_is_well(page, machine.url, failed=1)
        page.goto(f"{machine.url}/morning/index.en.html")
        links = page.locator("main a[href$='index.en.html']")
        assert links.first.get_attribute("href") == f"{town}/index.en.html", "the most urgent first"
        links.first.click()
        expect(page.locator("section[aria-labelledby=todo]")).to_contain_text(source)
        for slug, url in pages.items():
            assert url == f"{machine.url}/morning/{slug}/index.html"
            page.goto(url)
            assert ("HTTP 503" in page.locator("section[aria-labelledby=todo]").inner_text()) is (
                slug == town
            ), slug
        before = machine.runs(town)
        refused = _launched(
            machine, "nightly", {"resources": {"scope": {"config": {"sources": ["?"]}}}}, town
        )
        assert "no tenant has a source ?" in refused["message"]
        assert machine.runs(town) == before
        _brings_back(machine, town, source)
        _sees_who_is_well(page, machine.url, failed=0)
    finally:
        page.screenshot(path=tmp_path / "last.png")
        page.close()


def _brings_back(machine: Any, town: str, source: str) -> None:
    """The settings of the source are corrected, and it alone is fetched again: then nothing is wrong any more."""
    found = Loopback(_Levels)
    file = Path(machine.environment["CIVITAS_TENANTS_DIR"]) / f"{town}.yaml"
    before = file.read_text(encoding="utf-8")
    try:
        file.write_text(
            re.sub(r"http://\S+/levels\.json", f"http://127.0.0.1:{found.port}/", before), encoding="utf-8"
        )
        scope = {"resources": {"scope": {"config": {"sources": [source]}}}}
        run = _launched(machine, "nightly", scope, town)["run"]["runId"]
        assert machine.run_ends(run) == "SUCCESS"
    finally:
        file.write_text(before, encoding="utf-8")
        found.close()
    tags = machine.ask(TAGS, {"id": run})["runOrError"]["tags"]
    assert {"key": "civitas/outcome", "value": "ok"} in tags


def _launched(machine: Any, job: str, config: dict[str, Any], tenant: str = "") -> Any:
    parameters = {
        "selector": {**SELECTOR, "jobName": job},
        "runConfigData": config,
        "mode": "default",
        "executionMetadata": {"tags": [{"key": "dagster/partition", "value": tenant}] if tenant else []},
    }
    return machine.ask(LAUNCH, {"parameters": parameters})["launchRun"]


class _Levels(_Quiet):
    def do_GET(self) -> None:
        """A level of this hour."""
        body = json.dumps(
            [{"id": "pegel", "level": 120, "time": f"{datetime.now(UTC):%Y-%m-%dT%H}:00:00"}]
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _sees_who_is_well(page: Page, url: str, failed: int) -> None:
    """The partitions of the verdict are all tenants, each with its own."""
    page.goto(f"{url}/assets/tenants/health?view=checks&checkDetail=nothing_is_wrong")
    page.get_by_role("tab", name="Partitions").nth(1).click()  # of the check, not of the asset
    for state, count in (("Failed", failed), ("Passed", 3 - failed), ("Missing", 0)):
        expect(page.get_by_text(re.compile(rf"^{state}\s*\({count}\)$")).first).to_be_visible(
            timeout=_PATIENCE
        )


def _sees_the_asset_graph(page: Page, url: str) -> None:
    page.goto(f"{url}/asset-groups")
    graph = page.locator("svg foreignObject")
    for group in ("landing", "records", "shared", "published"):
        expect(graph.get_by_text(group, exact=True).first).to_be_visible(timeout=_PATIENCE)


def _launches(page: Page, url: str, tenant: str) -> None:
    page.goto(f"{url}/locations/civitas_assets/jobs/nightly")
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog").first  # the list is one as well
    dialog.get_by_text("Select a partition or create one").click()
    page.get_by_text(tenant, exact=True).first.click()
    # The list hides the button, and may hide more of the dialog, but not its title: clicking there closes it.
    dialog.get_by_text(re.compile("^Launch runs to materialize")).first.click()
    dialog.get_by_role("button", name="Launch 1 run").click()
    expect(dialog).to_be_hidden(timeout=_PATIENCE)


def _sees_checks(page: Page, url: str) -> None:
    """A source that answers has passed; the one that is down on purpose has failed, and only that one."""
    for connector, outcome in (("sensorthings", "Passed"), ("json", "Failed")):
        page.goto(f"{url}/assets/landing/{connector}?view=checks")
        expect(page.get_by_text(outcome, exact=True).first).to_be_visible(timeout=_PATIENCE)
