"""Who the webserver answers: its own pages and programs, never a page of another origin, and GraphQL by POST alone."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import pytest
from dagster._cli import dev
from dagster_webserver import cli as webserver
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from civitas_assets.webserver import develop
from civitas_assets.webserver.guard import OwnOrigin

NAME = "civitas.musterstadt.example"
PUBLIC = f"https://{NAME}"
JSON = {"content-type": "application/json"}


async def _page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.method)


async def _socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


ROUTES = [
    Route("/graphql", _page, methods=["GET", "POST"]),
    WebSocketRoute("/graphql", _socket),
    Route("/{path:path}", _page, methods=["GET", "POST"]),
]


@pytest.fixture
def ui() -> TestClient:
    """What is reached under the public name, as behind a proxy that keeps it and ends TLS."""
    guard = OwnOrigin(Starlette(routes=ROUTES), PUBLIC, hosts=["daten.intern.example"])
    return TestClient(guard, base_url=f"http://{NAME}")


OWN = [
    {},
    {"origin": PUBLIC},
    {"origin": PUBLIC, "sec-fetch-site": "same-origin"},
    {"origin": "http://localhost:3000", "host": "localhost:3000"},
    {"origin": "http://[::1]:3000", "host": "[::1]:3000"},
    {"origin": "http://daten.intern.example", "host": "daten.intern.example"},
    {"origin": PUBLIC, "host": "127.0.0.1:3000"},  # of a proxy that does not keep the name
]
FOREIGN = [
    {"origin": "https://anderswo.example"},
    {"origin": "https://anderswo.example", "host": "anderswo.example"},  # a name that was pointed here
    {"host": "anderswo.example"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://localhost:8080", "host": "localhost:3000"},  # another program of the same machine
    {"origin": f"{PUBLIC}:8443"},
    {"origin": f"{PUBLIC}.anderswo.example"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site", "origin": PUBLIC},
]


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_pages_of_the_own_origin_and_programs_are_answered(ui: TestClient, headers: dict[str, str]) -> None:
    assert ui.post("/graphql", json={}, headers=headers).status_code == 200
    with ui.websocket_connect("/graphql", headers={"host": NAME, **headers}):
        pass


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_pages_of_other_origins_are_refused_whatever_changes_something(
    ui: TestClient, headers: dict[str, str]
) -> None:
    assert ui.post("/graphql", json={}, headers=headers).status_code == 403
    assert ui.post("/report_asset_materialization/x", headers=headers).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        ui.websocket_connect("/graphql", headers={"host": NAME, **headers}),
    ):
        pass
    assert refused.value.code == 1008


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_graphql_is_answered_by_post_alone(ui: TestClient, method: str) -> None:
    refused = ui.request(method, "/graphql?query={version}", headers={"accept": "text/html"})
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "form",
    [
        "",
        "text/plain",
        "application/graphql",
        "text/plain; application/json",
        "multipart/form-data; boundary=x",
    ],
)
def test_graphql_is_taken_in_no_form_that_a_page_may_send_unasked(ui: TestClient, form: str) -> None:
    assert (
        ui.post("/graphql?query={version}", content="{}", headers={"content-type": form}).status_code == 415
    )


def test_a_page_may_link_here_but_not_under_a_name_that_is_not_ours(ui: TestClient) -> None:
    assert ui.get("/runs", headers={"sec-fetch-site": "cross-site"}).status_code == 200
    assert ui.get("/logs/a/compute_logs/b.err", headers={"host": "anderswo.example"}).status_code == 403
    assert ui.get("/server_info", headers={"host": "10.1.2.3:80"}).status_code == 200, "probes of pods"


def test_answers_and_refusals_can_be_shown_in_no_other_page(ui: TestClient) -> None:
    for answer in (ui.get("/"), ui.get("/graphql")):
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_a_prefix_belongs_to_the_path_and_an_asset_may_be_called_graphql() -> None:
    routes = [Mount("/view", routes=ROUTES)]
    ui = TestClient(OwnOrigin(Starlette(routes=routes), PUBLIC, "/view"), base_url=PUBLIC)
    assert ui.get("/view/graphql").status_code == 405
    assert ui.get("/view/%67raphql").status_code == 405
    assert ui.get("/view/assets/graphql").status_code == 200


def test_the_real_webserver_makes_its_application_by_the_name_that_is_replaced() -> None:
    """What has no place for additions is replaced by name; a new version of Dagster must still use that name."""
    made = "create_app_from_workspace_process_context("
    assert made in inspect.getsource(webserver.host_dagster_ui_with_workspace_process_context)
    started = inspect.getsource(dev.dev_command_impl)
    assert 'open_ipc_subprocess(\n                [sys.executable, "-m", "dagster_webserver"]' in started


def test_the_development_server_starts_the_guarded_webserver(monkeypatch: pytest.MonkeyPatch) -> None:
    started = list[list[str]]()
    monkeypatch.setattr(dev, "open_ipc_subprocess", lambda command, **_: started.append(command))
    monkeypatch.setattr(sys, "argv", ["develop", "dev"])

    def dg(*_: Any, **__: Any) -> None:
        dev.open_ipc_subprocess([sys.executable, "-m", "dagster_webserver", "--port", "3000"])  # type: ignore[attr-defined]

    monkeypatch.setattr("dagster_dg_cli.cli.main", dg)
    develop.run_develop()
    assert started == [[sys.executable, "-m", "civitas_assets.webserver", "--port", "3000"]]


def test_the_guarded_webserver_takes_what_dagsters_own_takes() -> None:
    """Such as the command line that Dagster's Helm chart writes."""
    done = subprocess.run(
        [sys.executable, "-m", "civitas_assets.webserver", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    for option in ("--read-only", "--path-prefix", "-p,", "-w,", "--db-pool-recycle", "--uvicorn-log-level"):
        assert option in done.stdout
