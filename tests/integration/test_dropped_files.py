"""Files that are dropped: they land, are published and put aside; one that is too large stays, and hinders no other."""

from __future__ import annotations

import re

import pytest

from civitas_assets.pipeline.runner import Order
from tests.integration.conftest import MakeCounts, Workplace


@pytest.mark.parametrize("storage", ["folder", "objects"])
def test_dropped_file_is_published_once_and_put_aside(
    kleinstadt: Workplace, counts: MakeCounts, storage: str
) -> None:
    file = kleinstadt.settings.tenants_dir / "kleinstadt.yaml"
    lines = [line for line in file.read_text().splitlines() if "each:" not in line]
    text = "\n".join('    url: "drop:*.csv"' if "/counter.csv" in line else line for line in lines) + "\n"
    text = text.replace('station_id: "{id}x", ', "")
    text = text.replace(
        "attempts: 1}\n    record_type: observation", "max_bytes: 500}\n    record_type: observation"
    )
    file.write_text(text)
    own = "kleinstadt/bicycle_counters"
    kleinstadt.drop_file(
        f"{own}/Zählung 8.csv", counts({"2026-08-20T10:00:00Z": 5, "2026-08-20T11:00:00Z": 7})
    )
    kleinstadt.drop_file(f"{own}/large.csv", b"x" * 501)
    outcome = kleinstadt.run("kleinstadt", Order(sources=("bicycle_counters",)))
    assert len(outcome.errors) == 1
    assert "drop:large.csv has 501 bytes: raise http.max_bytes" in outcome.errors[0]
    assert kleinstadt.ask("kleinstadt", "select sum(value)::int from observation") == [(12,)]
    done, large = kleinstadt.deployment.files.list_keys("drop/")
    assert re.fullmatch(rf"drop/{own}/done/\d{{8}}T\d{{12}}-Zählung 8\.csv", done)
    assert large == f"drop/{own}/large.csv"
    assert (storage == "folder") is (kleinstadt.settings.home / "drop").exists()
