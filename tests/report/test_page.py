"""The page is one sound document without secrets, scripts and requests, that everybody can read on any screen."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from civitas_assets.catalog import Catalog
from civitas_assets.errors import ReportError
from civitas_assets.report.kept_pages import Pages, make_page_address, make_page_link
from civitas_assets.report.page import _SECTIONS, prepare_pages, write_operator_page, write_tenant_page
from civitas_assets.report.sections import reference_sections
from civitas_assets.settings import Settings
from civitas_assets.store.files import LocalFiles
from tests.report.conftest import Town

NOW = datetime(2026, 8, 22, 4, 30, tzinfo=UTC)

_VOID = {"meta", "br", "link", "input", "img", "hr"}


class Document(HTMLParser):
    """Checks that elements nest, and collects what the tests ask about."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs), f"an attribute of {tag} is there twice"
        self.attributes.append((tag, given))
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"


@pytest.fixture(scope="module")
def pages(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of the town and of its operator, who has another tenant without any page."""
    text = (town.settings.tenants_dir / "beispielstadt.yaml").read_text(encoding="utf-8")
    town.write_tenant("anderswo", text.replace("Beispielstadt", "Anderswo"))
    folder = tmp_path_factory.mktemp("pages")
    write_tenant_page(
        town.settings, town.tenant, town.stores, town.contracts, NOW, Pages(LocalFiles(folder), "")
    )
    write_operator_page(town.settings, Catalog(town.catalog), NOW, Pages(LocalFiles(folder), ""))
    return folder


ALL = ["beispielstadt/index.html", "beispielstadt/index.en.html", "index.html", "index.en.html"]


@pytest.mark.parametrize("name", ALL)
def test_a_page_is_sound_html(pages: Path, name: str) -> None:
    document = Document((pages / name).read_text(encoding="utf-8"))
    assert len(document.ids) == len(set(document.ids))
    assert document.headings[0] == 1
    assert document.headings.count(1) == 1
    assert all(
        after - before <= 1 for before, after in zip(document.headings, document.headings[1:], strict=False)
    )
    for tag, given in document.attributes:
        assert tag not in {"script", "img", "iframe", "object", "link"}
        assert "style" not in given, "the page's policy refuses inline styles"
        assert not [name for name in given if name.startswith("on")]
        href = given.get("href") or ""
        assert href.startswith("#") is False or href[1:] in document.ids
        assert not re.match(r"(https?:)?//", href)


def test_what_all_pages_have_in_common_is_made_once(town: Town, tmp_path: Path) -> None:
    prepare_pages(town.contracts, [town.tenant.zone])
    made = reference_sections._columns.cache_info().misses
    pages = Pages(LocalFiles(tmp_path), "")
    write_tenant_page(town.settings, town.tenant, town.stores, town.contracts, NOW, pages)
    assert reference_sections._columns.cache_info().misses == made
    german, english = ((pages.read(name) or b"").decode() for name in ALL[:2])
    assert ("laut unit" in german, "see unit" in german) == (True, False)
    assert ("laut unit" in english, "see unit" in english) == (False, True)


def test_text_of_sources_is_text(pages: Path) -> None:
    text = (pages / ALL[0]).read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(" in text
    assert "<script" not in text
    assert "<b>fünf" not in text
    assert "Markt &amp; Rathaus" in text


def test_there_is_no_secret_and_nothing_of_another_tenant(pages: Path) -> None:
    for file in (pages / "beispielstadt").iterdir():
        text = file.read_text(encoding="utf-8")
        assert "AIR_TOKEN" not in text
        assert "nderswo" not in text
    assert "anderswo" in (pages / "index.html").read_text(encoding="utf-8")


def test_pages_can_be_read_by_owner_and_group_only(pages: Path) -> None:
    for file in (pages / name for name in ALL):
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert not [file for file in pages.rglob(".*") if file.is_file()]


def test_pages_are_made_without_a_library_for_them() -> None:
    loaded = "civitas_assets.report.page, civitas_assets.harmonise.prepare, "
    loaded += "civitas_assets.connectors.sensorthings.sensorthings, civitas_assets.pipeline.runner"
    code = f"import sys, {loaded}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    unused = {"jinja2", "xml.etree", "dbt", "pyarrow", "numpy", "shapely"}  # in a quiet night
    assert not unused & {*done.stdout.split()}


def test_a_folder_that_takes_no_file_is_an_error_that_says_so(town: Town, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    nowhere = Pages(LocalFiles(tmp_path / "file"))
    with pytest.raises(ReportError, match="no page can be written"):
        write_tenant_page(town.settings, town.tenant, town.stores, town.contracts, NOW, nowhere)


def test_a_message_can_link_to_the_page(tmp_path: Path) -> None:
    here = Settings(home=tmp_path)
    assert make_page_address(here, "jena") == "http://localhost:3000/morning/jena/index.html"
    served = Settings(home=tmp_path, reports_url="https://pages.example/morning/")
    assert make_page_address(served, "jena") == "https://pages.example/morning/jena/index.html"


def test_a_link_from_the_ui_leads_to_its_own_host_where_nobody_says_another(tmp_path: Path) -> None:
    assert make_page_link(Settings(home=tmp_path), "jena") == "/morning/jena/index.html"
    for said in ({"ui_url": "https://ui.example"}, {"reports_url": "https://ui.example/morning"}):
        assert make_page_link(Settings(home=tmp_path, **said), "jena") == (
            "https://ui.example/morning/jena/index.html"
        )


def test_each_drawing_says_what_is_on_it_and_has_its_figures_beside_it(pages: Path) -> None:
    text = (pages / ALL[0]).read_text(encoding="utf-8")
    labels = re.findall(r'<svg[^>]* role="img" aria-label="([^"]*)"', text)
    assert len(labels) == 4
    assert any(
        "Stickstoffdioxid, 17 Tage mit Werten, kleinster 4, größter 61,2 µg/m³" in label for label in labels
    )
    assert "<title>Markt &amp; Rathaus</title>" in text
    air = next(svg for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL) if "Stickstoffdioxid" in svg)
    assert air.count('fill="var(--suspect)"') == 16
    assert air.count('stroke="var(--series)"') == 1
    assert "2.8." in text
    assert "2 Aug" in (pages / ALL[1]).read_text(encoding="utf-8")


def opened(browser: Browser, file: Path, width: int, scheme: Any, requests: list[str]) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    page.on("request", lambda request: requests.append(request.url))
    page.goto(file.as_uri())
    return page


@pytest.mark.parametrize(
    ("width", "scheme"), [(320, "dark"), (390, "light"), (1280, "light"), (1280, "dark")]
)
@pytest.mark.parametrize("name", [ALL[0], ALL[3]])
def test_a_page_is_accessible_at_every_width_in_light_and_dark(  # noqa: PLR0917 - fixtures and parameters
    pages: Path, browser: Browser, tmp_path: Path, name: str, width: int, scheme: str
) -> None:
    requests: list[str] = []
    page = opened(browser, pages / name, width, scheme, requests)
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page).response["violations"]
    assert not found, [(violation["id"], violation["nodes"][0]["html"]) for violation in found]
    assert requests == [(pages / name).as_uri()]
    picture = page.screenshot(full_page=True, path=tmp_path / "page.png")
    assert len(picture) > 20_000
    page.context.close()


def test_a_page_is_printed_in_colours_for_paper_also_where_the_screen_is_dark(
    pages: Path, browser: Browser
) -> None:
    page = opened(browser, pages / ALL[0], 1280, "dark", [])
    ask = "getComputedStyle(document.documentElement).getPropertyValue('--suspect')"
    dark = page.evaluate(ask)
    page.emulate_media(media="print")
    printed = page.evaluate(ask)
    page.emulate_media(media="screen", color_scheme="light")
    assert printed == page.evaluate(ask) != dark
    page.context.close()


def test_the_keyboard_reaches_everything_and_the_page_says_nothing_to_the_console(
    pages: Path, browser: Browser
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto((pages / ALL[0]).as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    reached = set[str]()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName + (document.activeElement.hash || '')"))
    assert {"A#sources", "A#licences", "SUMMARY", "DIV"} <= reached
    page.keyboard.press("Shift+Tab")
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None
    page.get_by_role("link", name="English").click()
    assert page.url.endswith("index.en.html")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert not said
    context.close()


def test_a_page_is_made_even_where_a_drawing_or_a_part_of_it_cannot_be(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("civitas_assets.report.sections.series_section.draw_series_chart", broken)
    monkeypatch.setattr("civitas_assets.report.sections.atlas.draw_map", broken)
    monkeypatch.setitem(_SECTIONS, "rejected", broken)
    write_tenant_page(
        town.settings, town.tenant, town.stores, town.contracts, NOW, Pages(LocalFiles(tmp_path), ""), ["en"]
    )
    text = (tmp_path / "beispielstadt" / "index.en.html").read_text(encoding="utf-8")
    Document(text)
    assert text.count("This drawing could not be made; its figures are in the table.") > 1
    assert text.count("This part could not be made; the log of the run says why.") == 1
    assert 'id="rejected"' in text
    assert "17 days with values" not in text
    assert 'id="dictionary"' in text
