"""Who is sent which file of open data, with tags that last, from any byte on, and nothing else of the stores."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from civitas_assets.settings import Settings
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.open_folder import OpenFolder
from civitas_assets.webserver.serve import guard_app
from civitas_assets.webserver.serve_open import make_open_app

NOW = datetime(2026, 11, 3, 5, 0, 0, 700_000, tzinfo=UTC)
GROUPS = "X-Forwarded-Groups"
BODY = "nr,name\r\n1,Ä\r\n"


async def _dagster(_: Request) -> PlainTextResponse:
    return PlainTextResponse("dagster")


@pytest.fixture
def served(tmp_path: Path) -> Any:
    """Makes the webserver of a deployment with a folder for everybody, jena's, and one for a login, ulm's."""

    def make(prefix: str = "", **more: Any) -> TestClient:
        settings = Settings(home=tmp_path, **more)
        table, page = tmp_path / "table", tmp_path / "page"
        table.write_bytes(BODY.encode())
        page.write_text("<!doctype html>")
        made = {"place.csv": (table, "text/csv"), "index.html": (page, "text/html; charset=utf-8")}
        for tenant, access in {"jena": "everybody", "ulm": "login"}.items():
            OpenFolder(LocalFiles(tmp_path), tenant).replace(made, "b", access, NOW)
        app = Starlette(routes=[Route("/{path:path}", _dagster)])
        return TestClient(guard_app(app, prefix, settings), base_url="http://localhost:3000")

    return make


@pytest.mark.parametrize("prefix", ["", "/view"])
def test_files_are_sent_to_everybody_with_a_tag(served: Any, prefix: str) -> None:
    ui = served(prefix, ui_groups_header=GROUPS)
    answer = ui.get(f"{prefix}/open/jena/place.csv")
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, BODY, "text/csv")
    assert answer.headers["last-modified"] == "Tue, 03 Nov 2026 05:00:00 GMT"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ui.get(f"{prefix}/open/jena").url.path == f"{prefix}/open/jena/"
    assert ui.get(f"{prefix}/open/jena/").text == "<!doctype html>"
    head = ui.head(f"{prefix}/open/jena/place.csv")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(BODY.encode())))
    assert head.headers["etag"] == answer.headers["etag"]


def test_what_is_known_is_not_sent_again(served: Any) -> None:
    ui, path = served(), "/open/jena/place.csv"
    tag = ui.get(path).headers["etag"]
    for headers in (
        {"If-None-Match": tag},
        {"If-None-Match": f'"x", W/{tag}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": "Tue, 03 Nov 2026 05:00:00 GMT"},
    ):
        answer = ui.get(path, headers=headers)
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    for headers in (
        {"If-None-Match": '"x"'},
        {"If-None-Match": '"x"', "If-Modified-Since": "Tue, 03 Nov 2026 05:00:00 GMT"},
        {"If-Modified-Since": "Tue, 03 Nov 2026 04:59:59 GMT"},
        {"If-Modified-Since": "yesterday"},
    ):
        assert ui.get(path, headers=headers).status_code == 200


def test_a_range_is_sent_alone(served: Any) -> None:
    ui, path, body = served(), "/open/jena/place.csv", BODY.encode()
    size = len(body)
    for asked, (first, last) in {
        "bytes=0-3": (0, 3),
        "bytes=3-": (3, size - 1),
        f"bytes=3-{size + 9}": (3, size - 1),
        "bytes=-4": (size - 4, size - 1),
    }.items():
        answer = ui.get(path, headers={"Range": asked})
        assert (answer.status_code, answer.content) == (206, body[first : last + 1])
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert answer.headers["content-length"] == str(last - first + 1)
    for asked in (f"bytes={size}-", "bytes=-0", "bytes=3-2"):
        answer = ui.get(path, headers={"Range": asked})
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{size}")
    for headers in (
        {"Range": "bytes=0-1,3-4"},
        {"Range": "lines=1"},
        {"Range": "bytes=0-1", "If-Range": '"x"'},
    ):
        assert ui.get(path, headers=headers).content == body


def test_a_folder_for_a_login_is_sent_behind_the_login_alone(served: Any) -> None:
    ui = served(ui_groups_header=GROUPS)
    own = {GROUPS: "/civitas-ulm"}
    assert ui.get("/morning/ulm/open/place.csv", headers=own).text == BODY
    assert ui.get("/morning/ulm/open/place.csv", headers=own).headers["cache-control"] == "private, no-cache"
    assert "access-control-allow-origin" not in ui.get("/morning/ulm/open/place.csv", headers=own).headers
    assert ui.get("/morning/ulm/open/place.csv", headers={GROUPS: "civitas-jena"}).status_code == 403
    assert ui.get("/morning/ulm/open/place.csv").status_code == 403
    # No login stands in front of this address, so that nothing which says so is believed.
    assert ui.get("/open/ulm/place.csv", headers=own).status_code == 404
    assert served().get("/morning/ulm/open/place.csv").text == BODY


@pytest.mark.parametrize(
    "path",
    ["jena/none.csv", "weimar/place.csv", "jena/../../secret", "%2e%2e/secret", "jena/index.json", "jena/objects",
     "JENA/place.csv", "jena/place.csv%00", "jena/a/place.csv", "", "jena/%2e%2e%2findex.html"],
)  # fmt: skip
def test_nothing_else_is_sent(served: Any, path: str) -> None:
    answer = served().get(f"/open/{path}")
    assert answer.status_code == 404 or answer.text == "dagster"


def test_the_server_without_a_login_has_nothing_but_what_is_for_everybody(
    served: Any, tmp_path: Path
) -> None:
    served()
    alone = TestClient(make_open_app(Settings(home=tmp_path)), base_url="https://daten.example")
    assert alone.get("/open/jena/place.csv").text == BODY
    for path in ("/open/ulm/place.csv", "/morning/ulm/open/place.csv", "/morning/ulm/", "/graphql", "/"):
        assert alone.get(path, headers={GROUPS: "civitas-ulm"}).status_code == 404, path


def test_files_are_only_read(served: Any) -> None:
    assert served().post("/open/jena/place.csv").status_code == 405


def test_a_file_that_is_lost_is_an_error_that_says_so(served: Any, tmp_path: Path) -> None:
    ui = served()
    LocalFiles(tmp_path).clear("reports/jena/open/objects/")
    answer = ui.get("/open/jena/place.csv")
    assert (answer.status_code, answer.text) == (503, "The file cannot be read now; try again later.\n")
