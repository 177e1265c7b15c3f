"""Who is shown which morning page by the webserver, and that it shows nothing else of the stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from civitas_assets.report.kept_pages import Pages, make_pages
from civitas_assets.settings import Settings
from civitas_assets.webserver.serve import guard_app

GROUPS = "X-Forwarded-Groups"


async def _dagster(_: Request) -> PlainTextResponse:
    return PlainTextResponse("dagster")


@pytest.fixture
def served(tmp_path: Path) -> Any:
    """Makes the webserver of a deployment that has pages of two towns."""

    def make(prefix: str = "", **more: Any) -> TestClient:
        settings = Settings(home=tmp_path, **more)
        make_pages(settings).write(
            {
                name: name.encode()
                for name in ("index.html", "jena/index.html", "jena/index.en.html", "ulm/index.html")
            }
            | {"jena/summary.json": b"{}"}
        )
        (tmp_path / "secret.html").write_text("secret")
        app = Starlette(routes=[Route("/{path:path}", _dagster)])
        return TestClient(guard_app(app, prefix, settings), base_url="http://localhost:3000")

    return make


@pytest.mark.parametrize("prefix", ["", "/view"])
def test_pages_are_served_beside_the_ui(served: Any, prefix: str) -> None:
    ui = served(prefix)
    for path, text in {
        "/morning": "index.html",
        "/morning/": "index.html",
        "/morning/jena": "jena/index.html",
        "/morning/jena/": "jena/index.html",
        "/morning/jena/index.en.html": "jena/index.en.html",
        "/runs": "dagster",
        "/morningstar": "dagster",
    }.items():
        answer = ui.get(prefix + path)
        assert (answer.status_code, answer.text) == (200, text)
        assert answer.headers["x-frame-options"] == "DENY"
    assert ui.get(f"{prefix}/morning/jena/").headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    "path",
    ["jena/summary.json", "weimar/", "../secret.html", "%2e%2e/secret.html", "jena/../../secret.html", "a/b/index.html",
     "jena//index.html", "index.html/", "JENA/index.html", "jena/index.html%00"],
)  # fmt: skip
def test_nothing_but_pages_is_served(served: Any, path: str) -> None:
    answer = served().get(f"/morning/{path}")
    assert answer.text != "secret"
    assert answer.status_code == 404 or answer.text == "dagster"  # a way out of the pages is none to files


def test_pages_are_only_read(served: Any) -> None:
    assert served().post("/morning/jena/").status_code == 405
    assert served().head("/morning/jena/").status_code == 200


@pytest.mark.parametrize(
    ("groups", "seen"),
    [
        ("civitas-operators", {"", "jena/", "ulm/"}),
        ("staff,/civitas-viewers", {"", "jena/", "ulm/"}),
        ("civitas-jena", {"jena/"}),
        ("civitas-jena, civitas-ulm", {"jena/", "ulm/"}),
        ("civitas-jen", set()),
        ("xcivitas-jena", set()),
        ("", set()),
        (None, set()),
    ],
)
def test_each_page_is_for_its_groups(served: Any, groups: str | None, seen: set[str]) -> None:
    ui = served(ui_groups_header=GROUPS)
    headers = {} if groups is None else {GROUPS: groups}
    found = {
        path
        for path in ("", "jena/", "ulm/")
        if ui.get(f"/morning/{path}", headers=headers, follow_redirects=False).text == f"{path}index.html"
    }
    assert found == seen


def test_who_has_some_towns_is_led_to_them(served: Any) -> None:
    ui = served(ui_groups_header=GROUPS)
    assert ui.get("/morning/", headers={GROUPS: "civitas-jena"}).text == "jena/index.html"
    both = ui.get("/morning/", headers={GROUPS: "civitas-jena,civitas-ulm"}).text
    assert '<a href="jena/">' in both
    assert '<a href="ulm/">' in both
    assert ui.get("/morning/", headers={GROUPS: "civitas-<b>"}).status_code == 403


def test_pages_that_cannot_be_read_are_said_to_be(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> bytes:
        raise OSError

    ui = served()
    monkeypatch.setattr(Pages, "read", broken)
    assert ui.get("/morning/jena/").status_code == 503
