"""Both languages say the same things, and write numbers, days and ages as their readers do."""

from __future__ import annotations

import string
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast, get_args
from zoneinfo import ZoneInfo

import pytest

from civitas_assets.report.findings import Finding
from civitas_assets.report.language import Language
from civitas_assets.report.morning import State
from civitas_assets.report.places import KINDS
from civitas_assets.report.quality import CODES
from civitas_assets.report.sections.run_section import _item
from civitas_assets.report.sections.sources_section import LEVELS
from civitas_assets.store.status import State as SourceState

BERLIN = ZoneInfo("Europe/Berlin")
DE, EN = Language.from_code("de", BERLIN), Language.from_code("en", BERLIN)


def fields(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_is_there_in_both_languages_with_the_same_values() -> None:
    assert DE.texts.keys() == EN.texts.keys()
    for key, text in DE.texts.items():
        assert text.strip(), key
        assert fields(text) == fields(EN.texts[key]), key


def test_every_code_has_its_text() -> None:
    wanted = [f"level.{level}" for level in LEVELS] + [f"kind.{kind}" for kind in KINDS]
    wanted += [f"code.{code}" for code in CODES] + [f"source.{state}" for state in get_args(SourceState)]
    wanted += [f"state.{state}" for state in get_args(State)]
    assert set(wanted) <= DE.texts.keys()


def test_a_finding_has_title_loss_and_remedy() -> None:
    names = {key.split(".")[1] for key in DE.texts if key.startswith("finding.")}
    for name in names:
        assert {f"finding.{name}.{part}" for part in ("title", "what", "do")} <= DE.texts.keys()


@pytest.mark.parametrize(
    ("value", "german", "english"),
    [(1234567, "1.234.567", "1,234,567"), (-0.5, "−0,50", "−0.50"), (21.25, "21,2", "21.2"), (None, "–", "–"),
     (datetime(2026, 8, 21, 22, 30, tzinfo=UTC), "22. August 2026, 00:30", "22 August 2026, 00:30"),
     (date(2026, 3, 1), "1. März 2026", "1 March 2026"), (["a", 2], "a, 2", "a, 2")],
)  # fmt: skip
def test_values_are_written_as_readers_expect(value: object, german: str, english: str) -> None:
    assert (DE.format_value(value), EN.format_value(value)) == (german, english)


def test_a_share_never_claims_to_be_whole() -> None:
    assert DE.format_share(1.0) == "100\N{NARROW NO-BREAK SPACE}%"
    assert DE.format_share(0.99996) == "99,9\N{NARROW NO-BREAK SPACE}%"
    assert DE.format_share(0.0) == "0\N{NARROW NO-BREAK SPACE}%"


def test_ages_count_in_the_unit_that_fits() -> None:
    now = datetime(2026, 8, 22, tzinfo=UTC)
    ages = [timedelta(seconds=5), timedelta(minutes=1), timedelta(hours=3), timedelta(days=9)]
    assert [DE.format_age(now - age, now) for age in ages] == [
        "gerade eben",
        "vor 1 Minute",
        "vor 3 Stunden",
        "vor 9 Tagen",
    ]
    assert EN.format_age(None, now) == "never"


@pytest.mark.parametrize(
    ("language", "everything", "since"),
    [
        (DE, "Alles aus dieser Quelle.", "Neues seit"),
        (EN, "Everything from this source.", "Anything new since"),
    ],
)
def test_of_a_source_that_never_brought_anything_everything_is_missing(
    language: Language, everything: str, since: str
) -> None:
    newest = datetime(2026, 8, 22, 4, 30, tzinfo=UTC)
    said = [
        _item(
            Finding("server_down", "error", "civitas run", values={"newest": at}), cast("Any", None), language
        )
        for at in (None, newest)
    ]
    assert everything in said[0]
    assert "–" not in said[0]
    assert since in said[1]
