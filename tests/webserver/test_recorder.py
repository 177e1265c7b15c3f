"""What people change in the UI is recorded: by whom, what, with what, and what became of it; questions are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from civitas_assets.audit.log import AuditLog
from civitas_assets.settings import Settings
from civitas_assets.webserver.recorder import RequestRecorder

LAUNCH = """
mutation LaunchRun($executionParams: ExecutionParams!) {
  launchPipelineExecution(executionParams: $executionParams) { __typename ...on LaunchRunSuccess { run { id } } }
}
"""
STOP = 'mutation { terminateRun(runId: "1") { __typename } }'


class Ui:
    """The recorder in front of an application that answers as Dagster does, and what it has recorded."""

    def __init__(self, home: Path, **given: Any) -> None:
        self.answer: Any = {"data": {"launchPipelineExecution": {"__typename": "LaunchRunSuccess"}}}
        self.status, self.asked = 200, list[Any]()
        self.settings = Settings(home=home, **given)

        async def graphql(request: Request) -> JSONResponse:
            self.asked.append(await request.json())
            return JSONResponse(self.answer, self.status)

        routes = [Route(path, graphql, methods=["POST"]) for path in ("/graphql", "/{rest:path}")]
        self._client = TestClient(
            RequestRecorder(Starlette(routes=routes), self.settings), raise_server_exceptions=False
        )

    def post(self, body: Any, path: str = "/graphql", **headers: str) -> int:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._client.post(path, content=content, headers=headers).status_code

    def recorded(self) -> list[dict[str, Any]]:
        return list(AuditLog(self.settings.audit).read_entries())


@pytest.fixture
def ui(tmp_path: Path) -> Ui:
    return Ui(tmp_path, ui_user_header="X-Forwarded-User")


def test_a_mutation_is_recorded_with_who_what_and_what_became_of_it(ui: Ui) -> None:
    variables = {
        "executionParams": {"selector": {"jobName": "nightly"}, "runConfigData": {"token": "geheim"}}
    }
    body = {"operationName": "LaunchRun", "query": LAUNCH, "variables": variables}
    assert ui.post(body, **{"X-Forwarded-User": "anna"}) == 200
    assert ui.asked == [body], "what is asked is handed over as it is"
    begin, end = ui.recorded()
    assert (begin["where"], begin["user"], begin["event"]) == ("ui", "anna", "begin")
    assert begin["action"] == end["action"] == "launchPipelineExecution"
    assert begin["arguments"]["executionParams"]["selector"] == {"jobName": "nightly"}
    assert (end["event"], end["outcome"], end["id"]) == ("end", "ok", begin["id"])
    assert "geheim" not in json.dumps([begin, end])


@pytest.mark.parametrize(
    ("status", "answer", "outcome"),
    [
        (200, {"data": {"terminateRun": {"__typename": "TerminateRunFailure"}}}, "TerminateRunFailure"),
        (200, {"data": {"terminateRun": {"__typename": "UnauthorizedError"}}}, "UnauthorizedError"),
        (200, {"data": None, "errors": [{"message": "no"}]}, "errors"),
        (400, {"errors": []}, "status 400"),
        (500, {}, "status 500"),
    ],
)
def test_what_became_of_it_is_what_dagster_answers(ui: Ui, status: int, answer: Any, outcome: str) -> None:
    ui.status, ui.answer = status, answer
    assert ui.post({"query": STOP}) == status
    begin, end = ui.recorded()
    assert end["outcome"] == outcome
    assert begin["arguments"] == [STOP], "what stands in the text itself"
    assert begin["user"] == "unknown at testclient"


@pytest.mark.parametrize(
    "body",
    [
        {"query": "query { runsOrError { __typename } }"},
        {"query": "query mutationLike { assetNodes { mutation: id } }"},
        {"query": "mutation {"},
        {"query": 5},
        [1],
        b"no JSON, and a mutation",
        {
            "operationName": "Asks",
            "query": f"query Asks {{ version }} {STOP.replace('mutation', 'mutation Does')}",
        },
    ],
    ids=str,
)
def test_questions_and_what_nobody_carries_out_are_not_recorded(ui: Ui, body: Any) -> None:
    ui.post(body)
    assert ui.recorded() == []


def test_a_mutation_hides_behind_no_spelling(ui: Ui) -> None:
    escaped = json.dumps({"query": STOP}).replace("mutation", "\\u006dutation").encode()
    ui.post(escaped)
    ui.post({"query": f"# a comment\nfragment x on Run {{ id }} {STOP}"})
    ui.post({"query": 'mutation { quiet: terminateRun(runId: "1") { __typename } }'})
    assert [entry["action"] for entry in ui.recorded() if entry["event"] == "begin"] == ["terminateRun"] * 3


def test_reports_of_assets_are_recorded(ui: Ui) -> None:
    ui.post({"metadata": {}}, "/report_asset_materialization/shared/station")
    assert ui.recorded()[0]["action"] == "report_asset_materialization/shared"
    assert ui.recorded()[0]["arguments"]["path"].endswith("/shared/station")


def test_a_login_is_believed_only_where_the_operator_says_so(tmp_path: Path) -> None:
    ui = Ui(tmp_path)
    ui.post({"query": STOP}, **{"X-Forwarded-User": "anna"})
    assert ui.recorded()[0]["user"] == "unknown at testclient"


def test_entries_are_echoed_for_a_collector_and_a_log_that_cannot_be_written_stops_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ui = Ui(tmp_path, audit_echo=True)
    assert ui.post({"query": STOP}) == 200
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["begin", "end"]
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert Ui(tmp_path, audit_dir=tmp_path / "file").post({"query": STOP}) == 200


def test_a_body_without_end_is_refused(ui: Ui) -> None:
    assert ui.post(b"x" * (17 * 1024 * 1024)) == 413
    assert ui.asked == []
