"""The nightly job ends with a page, whether it went well, had nothing to do or failed; a command makes it anew."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from civitas_assets.browse.drawings import draw_overview, write_csv
from civitas_assets.browse.views import draw_rows, read_models
from civitas_assets.report.page_summary import PageSummary
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.nights import NightBook
from tests.integration.conftest import Civitas, Server, Workplace


def told(workplace: Workplace) -> PageSummary:
    file = workplace.settings.reports / "kleinstadt" / "summary.json"
    return msgspec.json.decode(file.read_bytes(), type=PageSummary)


def test_every_night_ends_with_a_page(
    kleinstadt: Workplace, town: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = kleinstadt.settings.reports / "kleinstadt" / "index.html"
    book = NightBook(LocalFiles(kleinstadt.settings.home), "kleinstadt")
    assert kleinstadt.run("kleinstadt").ok
    (night,) = book.read_last(9)
    assert night.published
    assert {name: source.ok for name, source in night.sources.items()} == {
        "bicycle_counters": True,
        "parking": True,
    }
    assert sum(source.new for source in night.sources.values()) >= 3
    assert "Kleinstadt" in page.read_text(encoding="utf-8")
    assert (kleinstadt.settings.reports / "index.html").is_file()

    kleinstadt.clock += timedelta(hours=1)
    town.pages["/parking.json"] = None
    assert not kleinstadt.run("kleinstadt").ok
    assert told(kleinstadt).state == "errors"
    assert "HTTP 503" in page.read_text(encoding="utf-8")
    assert book.read_last(1)[0].published, "the table of sources says that one fails"

    kleinstadt.clock += timedelta(hours=1)
    # A step that fails is on the page too, though the page is made by the same run.
    town.pages["/counter.csv"] = b"time,id,count\n2026-08-21T10:00:00Z,1,9"
    monkeypatch.setattr(
        "civitas_assets.publish.duckdb.duckdb_tables.DuckDBTables.replace_all",
        lambda *_: (_ for _ in ()).throw(OSError("full")),
    )
    assert not kleinstadt.run("kleinstadt").ok
    assert told(kleinstadt).state == "failed"
    assert "was left as it was: full" in page.read_text(encoding="utf-8")
    monkeypatch.undo()

    # A page that cannot be made stops nothing.
    page.unlink()
    page.mkdir()
    town.pages["/parking.json"] = b"[]"
    outcome = kleinstadt.run("kleinstadt")
    assert outcome.path
    assert any("the_page_was_made" in warning for warning in outcome.warnings)


@pytest.mark.parametrize("destination", ["postgres"])
def test_a_town_in_postgresql_has_the_page_that_it_would_have_as_a_file(
    kleinstadt: Workplace,
    town: Server,
    new_workplace: Callable[[], Workplace],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def copied(*_: object) -> None:
        raise AssertionError("tables are copied for a page")

    monkeypatch.setattr("civitas_assets.publish.postgres.postgres_reading.Stream.fill", copied)
    as_file = new_workplace()
    as_file.copy_tenant("kleinstadt", url=town.url)
    for workplace in (kleinstadt, as_file):
        assert workplace.run("kleinstadt").ok
    in_database, in_file = (
        (workplace.settings.reports / "kleinstadt" / "index.html").read_text(encoding="utf-8")
        for workplace in (kleinstadt, as_file)
    )
    assert "<svg" in in_file
    assert without_sizes(in_database) == without_sizes(in_file)
    monkeypatch.undo()
    shown, shown_of_file = (looked_at(each) for each in (kleinstadt, as_file))
    assert "<svg" in shown[0]
    assert shown == shown_of_file


def looked_at(workplace: Workplace) -> tuple[str, str]:
    """What `civitas browse` shows of the town, which can be downloaded, too."""
    settings, sql = workplace.settings, "select datastream_key, value from observation order by all"
    assert "observation" in read_models(settings, "kleinstadt")
    rows = draw_rows(settings, "kleinstadt", sql)
    assert "bicycle_counters" in rows
    assert b"kleinstadt:parking:P1" in write_csv(settings, "kleinstadt", "parking_site", workplace.clock)
    return draw_overview(settings, "kleinstadt", workplace.clock), rows


def without_sizes(page: str) -> str:
    """A page without what it says of bytes and seconds, which end the rows of a table."""
    page = re.sub(r"[0-9.,]+\s*(kB|MB|B|s)\b", "…", page)
    return re.sub(r"[0-9]+(?=</td></tr>)", "…", page)


def test_the_command_makes_pages_where_it_is_told(
    civitas: Civitas, kleinstadt: Workplace, tmp_path: Path
) -> None:
    done = civitas("report", "kleinstadt", "--lang", "en", "--output", str(tmp_path / "site"))
    assert done.exit_code == 0, done.output
    assert "[1/1] kleinstadt: failed, 1 errors" in done.output
    page = tmp_path / "site" / "kleinstadt" / "index.en.html"
    assert str(page) in done.stdout
    assert "There has been no run yet" in page.read_text(encoding="utf-8")
    assert {file.name for file in (tmp_path / "site").rglob("*.html")} == {"index.en.html"}
    unknown = civitas("report", "grossstadt")
    assert unknown.exit_code == 1
