"""Dashboards of Grafana ask what shared models have: PostgreSQL runs each panel's query on tables by contract."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from civitas_assets.dictionary.contracts import read_contracts
from civitas_assets.harmonise.project import Project
from civitas_assets.settings import PROJECT_DIR

FOLDER = PROJECT_DIR / "deploy/grafana"
BOARDS = sorted(FOLDER.glob("*.json"))
TYPES = {"varchar": "text", "double": "double precision", "blob": "bytea"}
ROWS = """
insert into station (name, station_id, station_key) values ('Rathausplatz', '1', 's');
insert into sharing_station (name, station_id, station_key) values ('Markt', '2', 's');
insert into parking_site (name, site_id, site_key) values ('Dom', '3', 'p');
insert into observation_hourly (station_key, observed_property, hour_start_at, value) values
    ('s', 'air.no2', '2026-08-01 10:00Z', 21.5), ('s', 'traffic.bicycle_count', '2026-08-01 10:00Z', 12);
insert into weather_observed (station_key, phenomenon_start_at, temperature_cel) values ('s', '2026-08-01 10:00Z', 23);
insert into water_observed (station_key, phenomenon_start_at, level_cm) values ('s', '2026-08-01 10:00Z', 180);
insert into parking_status (site_key, observed_at, free) values ('p', '2026-08-01 10:00Z', 7);
insert into sharing_status (station_key, observed_at, vehicles_available) values ('s', '2026-08-01 10:00Z', 4);
insert into air_quality_assessment (day, observed_property, value) values ('2026-08-01', 'air.no2', 21.54);
insert into source (title, licence) values ('Luft', 'CC0-1.0');
"""


def panels() -> Iterator[Any]:
    for board in BOARDS:
        for panel in json.loads(board.read_text(encoding="utf-8"))["panels"]:
            yield pytest.param(panel, id=f"{board.stem}: {panel['title']}")


@pytest.fixture(scope="module")
def tables(project: Project, postgres_server: str) -> Iterator[psycopg.Connection]:
    """The tables of a town, with a row for each panel; nothing of them stays."""
    with psycopg.connect(postgres_server) as connection:
        connection.execute("create schema town")
        connection.execute("set search_path = town")
        for contract in read_contracts(project).values():
            columns = ", ".join(f'"{n}" {TYPES.get(c.type, c.type)}' for n, c in contract.columns.items())
            connection.execute(f'create table "{contract.name}" ({columns})'.encode())
        connection.execute(ROWS.encode())
        yield connection
        connection.rollback()


@pytest.mark.parametrize("panel", [*panels()])
def test_the_query_of_a_panel_has_an_answer(panel: dict[str, Any], tables: psycopg.Connection) -> None:
    (target,) = panel["targets"]
    within = r"\1 between timestamptz '2026-08-01' and timestamptz '2026-08-02'"
    sql, times = re.subn(r"\$__timeFilter\(([\w.]+)\)", within, target["rawSql"])
    assert "$__" not in sql, "a macro that this test does not know"
    cursor = tables.execute(sql.encode())
    rows, names = cursor.fetchall(), [column.name for column in cursor.description or ()]
    assert len(rows) == 1
    if panel["type"] == "timeseries":
        assert target["format"] == "time_series"
        assert names == ["time", "metric", "value"]
        assert times == 1, "all rows of all times would be asked for"


@pytest.mark.parametrize("board", BOARDS, ids=lambda path: path.stem)
def test_a_dashboard_asks_the_tenant_that_is_chosen_and_nobody_else(board: Path) -> None:
    content = json.loads(board.read_text(encoding="utf-8"))
    (chosen,) = content["templating"]["list"]
    asked = [panel["datasource"] for panel in content["panels"]]
    asked += [target["datasource"] for panel in content["panels"] for target in panel["targets"]]
    assert {json.dumps(source) for source in asked} == {
        json.dumps({"type": chosen["query"], "uid": f"${{{chosen['name']}}}"})
    }
    assert len({panel["id"] for panel in content["panels"]}) == len(content["panels"])


def test_the_data_source_holds_no_password() -> None:
    (source,) = yaml.safe_load((FOLDER / "datasource.yaml").read_text(encoding="utf-8"))["datasources"]
    assert re.fullmatch(r"\$[A-Z_]+", source["secureJsonData"]["password"])
    assert source["jsonData"]["sslmode"] == "verify-full"
