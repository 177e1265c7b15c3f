"""Repairs in the shell: a mapping is mended, landing replayed, and rejected rows are decided on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.conftest import Civitas, Server, Workplace


@pytest.fixture
def mend(kleinstadt: Workplace) -> Any:
    """Changes the tenant's file."""
    file = kleinstadt.settings.tenants_dir / "kleinstadt.yaml"

    def mended(before: str, after: str) -> None:
        text = file.read_text(encoding="utf-8")
        assert before in text
        file.write_text(text.replace(before, after), encoding="utf-8")

    return mended


DAYS = ("--from", "2026-08-19", "--to", "2026-08-21")
TIMES = "select hour(phenomenon_start_at), value::int from observation order by 1"


def test_a_replay_shows_what_would_change_and_publishes_it_after_a_yes(
    civitas: Civitas, kleinstadt: Workplace, mend: Any
) -> None:
    assert civitas("run").exit_code == 0
    assert kleinstadt.ask("kleinstadt", TIMES) == [(10, 5), (11, 7)]
    nothing = civitas("replay", "kleinstadt", *DAYS)
    assert (nothing.exit_code, "nothing would change" in nothing.output) == (0, True)

    mend("zone: offset, interval: 1 hour", "zone: offset, stamp: interval_end, interval: 1 hour")
    shown = civitas("replay", "kleinstadt", *DAYS, "--source", "bicycle_counters", "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "2026-08-20" in shown.output
    assert civitas("replay", "kleinstadt", *DAYS).exit_code == 1, "nobody can be asked"
    assert kleinstadt.ask("kleinstadt", TIMES) == [(10, 5), (11, 7)]

    done = civitas("replay", "kleinstadt", *DAYS, "--yes")
    assert done.exit_code == 0, done.output
    assert kleinstadt.ask("kleinstadt", TIMES) == [(9, 5), (10, 7)]
    assert "no source" in civitas("replay", "kleinstadt", *DAYS, "--source", "parkin").output


def test_rejected_rows_are_seen_discarded_restored_and_tried_again(
    civitas: Civitas, kleinstadt: Workplace, town: Server, mend: Any
) -> None:
    town.pages["/counter.csv"] = (
        b"time,id,count\n2026-08-20T10:00:00Z,1,5\n2026-08-20T11:00:00Z,1,k.A.\n2026-08-20T12:00:00Z,1,x\n"
    )
    assert civitas("run").exit_code == 0
    listed = civitas("quarantine", "list", "kleinstadt")
    assert "not_a_number" in listed.output
    assert "2 rejected row(s)" in listed.output
    shown = [
        json.loads(line) for line in civitas("quarantine", "show", "kleinstadt", "--json").stdout.splitlines()
    ]
    assert [(row["row"], row["detail"], row["url"]) for row in shown] == [
        (2, "k.A.", f"{town.url}/counter.csv"),
        (3, "x", f"{town.url}/counter.csv"),
    ]
    assert "row 2 of" in civitas("quarantine", "show", "kleinstadt", shown[0]["id"]).output

    unsaid = civitas("quarantine", "discard", "kleinstadt", "--reason", "Test")
    assert (unsaid.exit_code, "--all" in unsaid.output) == (2, True)
    discard = civitas(
        "quarantine", "discard", "kleinstadt", shown[1]["id"], "--reason", "Prüfmodus", "--by", "Bauhof"
    )
    assert "1 row(s) discarded" in discard.output
    kept = json.loads(civitas("quarantine", "show", "kleinstadt", "--discarded", "--json").stdout)
    assert (kept["reason"], kept["discarded_by"]) == ("Prüfmodus", "Bauhof")
    assert civitas("run").exit_code == 0
    assert kleinstadt.ask("kleinstadt", "select record_count from rejected_record") == [(1,)]

    mend("record_type: observation", 'record_type: observation\n    nulls: ["k.A."]')
    retried = civitas("quarantine", "retry", "kleinstadt")
    assert retried.exit_code == 0, retried.output
    assert "0 rejected row(s)" in civitas("quarantine", "list", "kleinstadt").output
    assert civitas("quarantine", "restore", "kleinstadt", "--all").exit_code == 0
    assert "1 rejected row(s)" in civitas("quarantine", "list", "kleinstadt").output
    wrong = civitas("quarantine", "show", "kleinstadt", "abcdef0123")
    assert (wrong.exit_code, "no such row" in wrong.output) == (2, True)
