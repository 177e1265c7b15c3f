"""Dashboards of Grafana are what its own types say, and what their panels ask for has the form that panels need.

A town is published to PostgreSQL, and asked by the login that the documentation makes for Grafana. Where there is
Grafana's own front end (`make dashboards`), the dashboards are opened in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard
from playwright.sync_api import Browser, Locator, expect
from pydantic import SecretStr

from civitas_assets.demo.servers import SampleServers
from civitas_assets.demo.towns import write_towns
from civitas_assets.harmonise.project import Project
from civitas_assets.ingest.catalogue import load_catalogue
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.runner import Order, run_tenant
from civitas_assets.settings import PROJECT_DIR, Settings
from testbed.grafana_front import find_front
from testbed.grafana_server import NUMBERS, TIMES, ask, serve_dashboard
from testbed.serving import Loopback, Request

FOLDER = PROJECT_DIR / "deploy/grafana"
BOARDS = sorted(FOLDER.glob("*.json"))
TOWN = "musterstadt"
GAUGE = """
  gauge:
    title: Pegel
    connector: json
    licence: CC0-1.0
    url: "{url}"
    http: {{requests_per_second: 200}}
    record_type: observation
    fields: {{datastream_id: id, station_id: id, value: level}}
    time: {{column: time, zone: utc}}
    constants: {{observed_property: water.level, unit: cm}}
destination: postgres
"""


def read_board(board: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(board.read_text(encoding="utf-8"))
    return content


PANELS = [
    pytest.param(board, panel, id=f"{board.stem}: {panel['title']}")
    for board in BOARDS
    for panel in read_board(board)["panels"]
]


class Levels(Request):
    """A gauge, of which none of the towns has one that answers."""

    def do_GET(self) -> None:
        now = datetime.now(UTC)
        times = [f"{now - timedelta(hours=hours):%Y-%m-%dT%H}:00:00" for hours in range(1, 49)]
        body = json.dumps([{"id": "pegel", "level": 120, "time": time} for time in times]).encode()
        self.reply(body)


@pytest.fixture(scope="module")
def grafana(
    project: Project, postgres_url_of_module: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[psycopg.Connection]:
    """What Grafana has of the town: a connection of the login that docs/analysts.md makes."""
    url, folder = postgres_url_of_module, tmp_path_factory.mktemp("town")
    gauge = Loopback(Levels)
    with SampleServers(datetime.now(UTC).date()) as servers:
        write_towns(folder, servers.url, servers.queue)
        for file in folder.glob("*.yaml"):
            if file.stem != TOWN:
                file.unlink()
        with (folder / f"{TOWN}.yaml").open("a", encoding="utf-8") as town:
            town.write(GAUGE.format(url=f"http://127.0.0.1:{gauge.port}/"))
        settings = Settings(home=folder / "home", tenants_dir=folder, postgres_url=SecretStr(url), workers=0)
        outcome = run_tenant(Deployment(load_catalogue(settings), settings, project), TOWN, Order())
    gauge.close()
    assert outcome.ok, outcome.errors
    with psycopg.connect(url, autocommit=True) as owner:
        page = (PROJECT_DIR / "docs/analysts.md").read_text(encoding="utf-8")
        (recipe,) = re.findall(r"```text\n(create role grafana_.*?)```", page, re.DOTALL)
        owner.execute(recipe.replace("'…'", "'geheim'").encode())
        try:
            with psycopg.connect(url, user=f"grafana_{TOWN}", password="geheim") as connection:  # noqa: S106
                yield connection
        finally:
            owner.execute(f"drop role grafana_{TOWN}".encode())


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_what_a_panel_asks_for_has_the_form_that_it_needs(
    board: Any, panel: dict[str, Any], grafana: psycopg.Connection
) -> None:
    (target,) = panel["targets"]
    window = re.fullmatch(r"now-(\d+)d", read_board(board)["time"]["from"])
    assert window
    now = datetime.now(UTC)
    frame = ask(grafana, target, now - timedelta(days=int(window[1])), now)
    assert frame.rows, "the town has what the panel shows"
    if panel["type"] == "table":
        assert target["format"] == "table"
        assert "date" not in frame.types.values(), (
            "a day would be shown as an hour of it, in America of the day before"
        )
        return
    # Long rows become a line for each metric: in the order of time, at each of which a line has one value.
    assert (panel["type"], target["format"]) == ("timeseries", "time_series")
    assert [*frame.types] == ["time", "metric", "value"]
    assert frame.types["time"] in TIMES
    assert frame.types["value"] in NUMBERS
    times, metrics = frame.column("time"), frame.column("metric")
    assert None not in times
    assert times == sorted(times)
    assert all(metrics), "lines without a name are drawn as one"
    assert len({*zip(times, metrics, strict=True)}) == len(times), "one value would hide another one"
    assert ask(grafana, target, now - timedelta(seconds=1), now).rows == [], (
        "all rows of all times would be asked for"
    )


SHOWN = {
    "Stickstoffdioxid": r"\d+ μg/m³",
    "Lufttemperatur": r"\d+ °C",
    "Wasserstand": r"\d+ cm",
    "Grenzwerte der Luft": r"\d{4}-\d\d-\d\d",
    "Freie Stellplätze": "0",
    "Fahrräder je Stunde": "0",
    "Verleih: verfügbare Fahrzeuge": "0",
    "Quellen und Lizenzen": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
}
# Keeps what is written on a canvas, such as the units beside an axis.
KEEP = """
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
  this.canvas.dataset.written = `${this.canvas.dataset.written ?? ''}\\n${text}`;
  return write.call(this, text, ...place);
};
"""
# Lines of the legend whose colour no pixel of the plot has.
UNDRAWN = """
(panel) => {
  const plot = panel.querySelector('canvas');
  const { data } = plot.getContext('2d').getImageData(0, 0, plot.width, plot.height);
  const drawn = new Set();
  for (let i = 0; i < data.length; i += 4) drawn.add(`rgb(${data[i]}, ${data[i + 1]}, ${data[i + 2]})`);
  const icons = [...panel.querySelectorAll('[data-testid="series-icon"]')];
  const hidden = icons.filter((icon) => !drawn.has(getComputedStyle(icon).backgroundColor));
  return hidden.map((icon) => icon.parentElement.textContent);
}
"""


@pytest.mark.parametrize("board", BOARDS, ids=lambda path: path.stem)
def test_a_dashboard_opens_in_the_front_end_of_grafana(
    board: Any, grafana: psycopg.Connection, browser: Browser
) -> None:
    """Each panel draws lines or rows; a tenant who has published nothing is an error, not another one's lines."""
    front, content = find_front(), read_board(board)
    if not front.is_dir():
        pytest.skip("Grafana's front end is not here: make dashboards (with npm)")
    nothing = psycopg.connect(grafana.info.dsn, password="geheim", options="-c search_path=neustadt")  # noqa: S106
    page = browser.new_page(viewport={"width": 1400, "height": 1200}, timezone_id="Europe/Berlin")
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.add_init_script(KEEP)
    with nothing, serve_dashboard(front, content, {"Musterstadt": grafana, "Neustadt": nothing}) as url:
        page.goto(url)
        expect(page.get_by_text("Musterstadt")).to_be_visible(timeout=60_000)
        shown = [
            (panel, page.get_by_test_id(f"data-testid Panel header {panel['title']}"))
            for panel in content["panels"]
        ]
        for panel, place in shown:
            look_at(panel, place)
        page.get_by_role("combobox").click()
        page.get_by_role("option", name="Neustadt").click()
        for _, place in shown:
            expect(place.get_by_test_id("data-testid Panel status error")).to_be_visible()
    page.close()
    assert faults == []


def look_at(panel: dict[str, Any], place: Locator) -> None:
    """What the panel shows of the town: every line of its legend, with the unit beside the axis, or rows."""
    expected = re.compile(rf"^{SHOWN[panel['title']]}$", re.MULTILINE)
    if panel["type"] == "table":
        expect(place.get_by_role("gridcell").filter(has_text=expected).first).to_be_visible()
    else:
        plot = place.locator("canvas")
        expect(plot).to_have_attribute("data-written", expected)
        assert place.get_by_test_id("series-icon").count()
        assert place.evaluate(UNDRAWN) == [], "a legend names what is not to be seen"


@pytest.mark.parametrize("board", BOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_one_by_the_types_that_grafana_publishes(board: Any) -> None:
    """Nothing of it is lost where they read and write it, as is what they do not know."""
    content = read_board(board)
    again = json.loads(JSONEncoder().encode(Dashboard.from_json(content)))
    assert find_lost(content, again) == []
    known = {value for name, value in vars(units).items() if isinstance(value, str) and name[0].isupper()}
    for panel in content["panels"]:
        unit = panel["fieldConfig"]["defaults"]["unit"]
        assert unit in known or unit.startswith("suffix:"), (
            f"{panel['title']}: {unit!a} would be shown as it is"
        )


def find_lost(content: Any, again: Any, path: str = "") -> list[str]:
    """What is in one document, and not in the other one."""
    if isinstance(content, dict) and isinstance(again, dict):
        return [
            lost
            for key, value in content.items()
            for lost in find_lost(value, again.get(key), f"{path}/{key}")
        ]
    if isinstance(content, list) and isinstance(again, list) and len(content) == len(again):
        return [
            lost
            for number, pair in enumerate(zip(content, again, strict=True))
            for lost in find_lost(*pair, f"{path}/{number}")
        ]
    return [] if content == again else [path]


@pytest.mark.parametrize("board", BOARDS, ids=lambda path: path.stem)
def test_a_dashboard_asks_the_tenant_that_is_chosen_and_nobody_else(board: Any) -> None:
    content = read_board(board)
    (chosen,) = content["templating"]["list"]
    asked = [panel["datasource"] for panel in content["panels"]]
    asked += [target["datasource"] for panel in content["panels"] for target in panel["targets"]]
    assert {json.dumps(source) for source in asked} == {
        json.dumps({"type": chosen["query"], "uid": f"${{{chosen['name']}}}"})
    }
    assert len({panel["id"] for panel in content["panels"]}) == len(content["panels"])


def test_the_login_of_grafana_reads_its_town_and_changes_nothing(grafana: psycopg.Connection) -> None:
    for statement in (b"delete from source", b"create table mine (x int)"):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
            grafana.execute(statement)
        grafana.rollback()


def test_the_data_source_holds_no_password() -> None:
    (source,) = yaml.safe_load((FOLDER / "datasource.yaml").read_text(encoding="utf-8"))["datasources"]
    assert re.fullmatch(r"\$[A-Z_]+", source["secureJsonData"]["password"])
    assert source["jsonData"]["sslmode"] == "verify-full"
