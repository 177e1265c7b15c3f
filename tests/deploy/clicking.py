"""What people do in Dagster's UI, and see there, in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

PATIENCE = 120_000  # milliseconds


def see_who_is_well(page: Page, url: str, failed: int) -> None:
    """The partitions of the verdict are all tenants, each with its own."""
    page.goto(f"{url}/assets/tenants/health?view=checks&checkDetail=nothing_is_wrong")
    page.get_by_role("tab", name="Partitions").nth(1).click()  # of the check, not of the asset
    for state, count in (("Failed", failed), ("Passed", 3 - failed), ("Missing", 0)):
        expect(page.get_by_text(re.compile(rf"^{state}\s*\({count}\)$")).first).to_be_visible(
            timeout=PATIENCE
        )


def see_the_asset_graph(page: Page, url: str) -> None:
    page.goto(f"{url}/asset-groups")
    graph = page.locator("svg foreignObject")
    for group in ("landing", "records", "shared", "published"):
        expect(graph.get_by_text(group, exact=True).first).to_be_visible(timeout=PATIENCE)


def launch_by_clicking(page: Page, url: str, tenant: str) -> None:
    page.goto(f"{url}/locations/civitas_assets/jobs/nightly")
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog").first  # the list is one as well
    dialog.get_by_text("Select a partition or create one").click()
    page.get_by_text(tenant, exact=True).first.click()
    # The list hides the button, and may hide more of the dialog, but not its title: clicking there closes it.
    dialog.get_by_text(re.compile("^Launch runs to materialize")).first.click()
    dialog.get_by_role("button", name="Launch 1 run").click()
    expect(dialog).to_be_hidden(timeout=PATIENCE)


def see_checks(page: Page, url: str) -> None:
    """A source that answers has passed; the one that is down on purpose has failed, and only that one."""
    for connector, outcome in (("sensorthings", "Passed"), ("json", "Failed")):
        page.goto(f"{url}/assets/landing/{connector}?view=checks")
        expect(page.get_by_text(outcome, exact=True).first).to_be_visible(timeout=PATIENCE)


def see_daemons(page: Page, url: str, state: str) -> None:
    """All daemons are in this state."""
    page.goto(f"{url}/deployment/daemons")
    expect(page.get_by_text(state, exact=True).nth(4)).to_be_visible(timeout=PATIENCE)
    other = {"Running": "Not running", "Not running": "Running"}[state]
    expect(page.get_by_text(other, exact=True)).to_have_count(0)


def find_switch(page: Page, url: str, schedule: str) -> Locator:
    """What a schedule is started and stopped by; it is checked if the schedule runs."""
    page.goto(f"{url}/automation")
    row = page.locator("[data-index]").filter(has=page.locator(f"a[href$='/schedules/{schedule}']"))
    return row.get_by_role("checkbox").nth(1)  # the first one chooses the row
