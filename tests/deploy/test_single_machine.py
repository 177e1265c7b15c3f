"""One machine without containers, from its start to the tables: over GraphQL, and by clicking in a real browser."""

from __future__ import annotations

import json
import re
import shlex
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from playwright.sync_api import expect

from civitas_assets.demo.towns import DOWN
from testbed.machine import Machine, until
from testbed.serving import Loopback
from tests.deploy.clicking import (
    PATIENCE,
    find_switch,
    launch_by_clicking,
    see_checks,
    see_daemons,
    see_the_asset_graph,
    see_who_is_well,
)
from tests.deploy.gauges import CHANGED, answering

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
TICKS = """
query ($name: String!) {
  scheduleOrError(scheduleSelector: {
    repositoryName: "__repository__", repositoryLocationName: "civitas_assets", scheduleName: $name
  }) { ... on Schedule { scheduleState { ticks(limit: 50) { timestamp status runIds } } } }
}
"""
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


def _status(machine: Machine, headers: dict[str, str], query: str = "", body: bytes | None = None) -> int:
    request = urllib.request.Request(f"{machine.url}/graphql{query}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_graphql_is_answered_to_the_own_origin_by_post_alone(machine: Machine) -> None:
    form, body = {"Content-Type": "application/json"}, b'{"query": "{version}"}'
    foreign = {"Origin": "https://anderswo.example"}
    assert _status(machine, form, body=body) == 200
    assert _status(machine, {**form, "Origin": machine.url}, body=body) == 200
    assert _status(machine, {**form, **foreign}, body=body) == 403
    assert _status(machine, {**form, "Host": "anderswo.example"}, body=body) == 403
    assert _status(machine, {"Content-Type": "text/plain"}, body=body) == 415
    assert _status(machine, {}, "?query=%7Bversion%7D") == 405


def test_a_page_of_another_origin_reaches_nothing_in_a_real_browser(
    machine: Machine, browser: Any, tmp_path: Path
) -> None:
    """The page of a neighbouring port, which a browser takes for the same site, but not for the same origin."""
    (tmp_path / "index.html").write_text("<title>elsewhere</title>", encoding="utf-8")
    elsewhere = Loopback(partial(_Quiet, directory=str(tmp_path)))
    page = browser.new_page()
    try:
        page.goto(f"http://127.0.0.1:{elsewhere.port}/")
        assert page.evaluate(_FROM_ELSEWHERE, machine.url) == ["refused", "refused"]
        page.goto(machine.url, timeout=PATIENCE)
        assert page.evaluate(_FROM_ELSEWHERE, machine.url) == [200, "opened"]
    finally:
        page.close()
        elsewhere.close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_run_launched_over_graphql_succeeds_and_its_tables_can_be_asked(machine: Machine) -> None:
    assert machine.run("nightly", "beispielhausen")[1] == "SUCCESS"
    answer = machine.civitas("query", "beispielhausen", "select count(*) > 0 as has_rows from observation")
    assert "true" in answer.lower()
    recorded = [json.loads(line) for line in machine.civitas("audit", "--json").splitlines()]
    assert ("ui", "launchRun", "begin") in {(e["where"], e["action"], e["event"]) for e in recorded}
    assert ("cli", "query", "begin") in {(e["where"], e["action"], e["event"]) for e in recorded}


def test_a_tenant_is_chosen_and_launched_by_clicking_and_its_checks_can_be_seen(
    machine: Machine, browser: Any, tmp_path: Path
) -> None:
    page = browser.new_page(viewport={"width": 1500, "height": 950})
    page.set_default_timeout(PATIENCE)
    try:
        see_the_asset_graph(page, machine.url)
        before = machine.runs("probeheim")
        launch_by_clicking(page, machine.url, "probeheim")
        (run,) = set(machine.runs("probeheim")) - set(before)
        assert machine.run_ends(run) == "SUCCESS"
        see_checks(page, machine.url)
    finally:
        page.screenshot(path=tmp_path / "last.png")
        page.close()
    assert "varchar" in machine.civitas("query", "probeheim", "select name from station limit 1")


def test_monday_morning_leads_from_the_runs_to_the_page_that_says_why(
    machine: Machine, browser: Any, tmp_path: Path
) -> None:
    """Three towns after a night with nothing new: one has a source that is down."""
    town, source = DOWN
    for _ in range(2):
        run, ended = machine.run("nightly_batch")
        assert ended == "SUCCESS"
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
    page.set_default_timeout(PATIENCE)
    try:
        see_who_is_well(page, machine.url, failed=1)
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
        refused = machine.launch("nightly", town, sources=["?"])
        assert "no tenant has a source ?" in refused["message"]
        assert machine.runs(town) == before
        _brings_back(machine, town, source)
        see_who_is_well(page, machine.url, failed=0)
    finally:
        page.screenshot(path=tmp_path / "last.png")
        page.close()


def _brings_back(machine: Machine, town: str, source: str) -> None:
    """The settings of the source are corrected, and it alone is fetched again: then nothing is wrong any more."""
    with answering() as url, machine.edited(town) as edit:
        edit(lambda text: re.sub(r"http://\S+/levels\.json", f"{url}/levels.json", text))
        run, ended = machine.run("nightly", town, sources=[source])
    assert (ended, machine.read_tags(run)["civitas/outcome"]) == ("SUCCESS", "ok")


def test_monday_morning_goes_on_with_what_a_source_has_changed(machine: Machine) -> None:
    """What cannot be read and what is rejected is read with corrected settings, and a blocking test is looked into."""
    town, today = "beispielhausen", datetime.now(UTC).date()
    ask = partial(machine.civitas, "query", town)
    with answering() as url, machine.edited(town) as edit:
        edit(lambda text: text + CHANGED.replace("URL", url))
        run, ended = machine.run("nightly", town, sources=["gauge", "rain"])
        assert (ended, machine.read_tags(run)["civitas/outcome"]) == ("SUCCESS", "faults")
        assert _states(machine, town) == {"gauge": ("unread", 0), "rain": ("ok", 1)}
        # The field is called otherwise, which is mended; that it counts millimetres is not seen at once.
        edit(lambda text: text.replace("value: level}", "value: stand}"))
        run, ended = machine.run("nightly", town, sources=["gauge", "rain"])
        assert (ended, machine.read_tags(run)["civitas/outcome"]) == ("FAILURE", "failed")
        told = machine.read_log(run)
        assert "nothing was published: no_level_is_above_the_dam (1 rows)" in told
        assert re.search(r"^workspace: .*workspace\.duckdb$", told, re.MULTILINE)
        (command,) = set(re.findall(r"civitas (query \S+ --run .*\")$", told, re.MULTILINE))
        assert json.loads(machine.civitas(*shlex.split(command), "--json"))[0]["level_cm"] == 1210
        assert json.loads(ask("select value from observation where source = 'gauge'", "--json")) == []
        edit(lambda text: text.replace("water.level, unit: cm", "water.level, unit: mm"))
        edit(lambda text: text.replace("title: Regen", 'decimal: ","\n    title: Regen'))
        days = ("--from", f"{today - timedelta(1)}", "--to", f"{today + timedelta(1)}")
        machine.civitas("replay", town, "--source", "gauge", *days, "--yes")
        assert json.loads(ask("select level_cm from high_water", "--json")) == [{"level_cm": 121.0}]
        machine.civitas("quarantine", "retry", town, "--source", "rain")
        assert _states(machine, town) == {"gauge": ("ok", 0), "rain": ("ok", 0)}
        rain = json.loads(ask("select value from observation where source = 'rain' order by value", "--json"))
        assert [row["value"] for row in rain] == [0, 1.5]


def _states(machine: Machine, town: str) -> dict[str, tuple[str, int]]:
    """How the sources that have changed are, and how many of their rows are rejected."""
    sources = json.loads(machine.civitas("status", town, "--json"))["tenants"][town]["sources"]
    return {name: (sources[name]["state"], sources[name]["rejected"]) for name in ("gauge", "rain")}


def test_monday_morning_finds_the_daemon_gone_and_a_schedule_stopped(
    machine: Machine, browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After it is back, the last tick is made up for, and none before it."""
    town, _ = DOWN
    monkeypatch.setenv("DAGSTER_HOME", str(machine.home / "dagster"))
    page = browser.new_page(viewport={"width": 1500, "height": 950})
    page.set_default_timeout(PATIENCE)
    with answering() as url, machine.edited(town) as edit:
        edit(
            lambda text: (
                re.sub(r"http://\S+/levels\.json", f"{url}/levels.json", text).rstrip()
                + "\n    cadence: every_15_minutes\n"
            )
        )
        try:
            see_daemons(page, machine.url, "Running")
            with machine.without_daemon():
                with dg.DagsterInstance.get() as instance:
                    machine.turn_back(instance, timedelta(minutes=50))
                back = datetime.now(UTC).timestamp()
                see_daemons(page, machine.url, "Not running")
            ticks = until(lambda: _ticks(machine, "every_15_minutes"))
            assert ticks[-1]["status"] == "SUCCESS"
            assert ticks[-1]["timestamp"] + 900 > back, "one before the last is made up for"
            (run,) = ticks[-1]["runIds"]
            assert machine.run_ends(run) == "SUCCESS"
            assert machine.read_tags(run)["civitas/tenants"] == town
            see_daemons(page, machine.url, "Running")
            for runs in (True, False):
                switch = find_switch(page, machine.url, "hourly")
                expect(switch).to_be_enabled(timeout=PATIENCE)
                expect(switch).to_be_checked(checked=runs, timeout=PATIENCE)
                switch.locator("xpath=..").click()  # what is drawn of it
                expect(switch).to_be_checked(checked=not runs, timeout=PATIENCE)
        finally:
            page.screenshot(path=tmp_path / "last.png")
            page.close()


def _ticks(machine: Machine, schedule: str) -> list[dict[str, Any]] | None:
    """The schedule's ticks, the latest first, once one has started a run."""
    ticks: list[dict[str, Any]] = machine.ask(TICKS, {"name": schedule})["scheduleOrError"]["scheduleState"][
        "ticks"
    ]
    return ticks if any(tick["status"] == "SUCCESS" for tick in ticks) else None
