"""One machine without containers, from its start to the tables: over GraphQL, and by clicking in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

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
_PATIENCE = 120_000  # milliseconds


def test_a_run_launched_over_graphql_succeeds_and_its_tables_can_be_asked(machine: Any) -> None:
    tags = [{"key": "dagster/partition", "value": "beispielhausen"}]
    parameters = {
        "selector": SELECTOR,
        "runConfigData": {},
        "mode": "default",
        "executionMetadata": {"tags": tags},
    }
    launched = machine.ask(LAUNCH, {"parameters": parameters})["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    assert machine.run_ends(launched["run"]["runId"]) == "SUCCESS"
    answer = machine.civitas("query", "beispielhausen", "select count(*) > 0 as has_rows from observation")
    assert "true" in answer.lower()


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
    assert "1 row(s)" in machine.civitas("query", "probeheim", "select name from station limit 1")


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
