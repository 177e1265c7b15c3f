"""Files that are dropped: they land, are published and put aside; one that is too large stays, and hinders no other."""

from __future__ import annotations

import os
from typing import Any

from civitas_assets.pipeline.runner import Order


def test_dropped_file_is_published_once_and_put_aside(kleinstadt: Any, counts: Any) -> None:
    file = kleinstadt.settings.tenants_dir / "kleinstadt.yaml"
    lines = [line for line in file.read_text().splitlines() if "each:" not in line]
    text = "\n".join('    url: "drop:*.csv"' if "/counter.csv" in line else line for line in lines) + "\n"
    text = text.replace('station_id: "{id}x", ', "")
    text = text.replace(
        "attempts: 1}\n    record_type: observation", "max_bytes: 500}\n    record_type: observation"
    )
    file.write_text(text)
    folder = kleinstadt.settings.drop / "kleinstadt" / "bicycle_counters"
    folder.mkdir(parents=True)
    (folder / "august.csv").write_bytes(counts({"2026-08-20T10:00:00Z": 5, "2026-08-20T11:00:00Z": 7}))
    (folder / "large.csv").write_bytes(b"x" * 501)
    for path in folder.iterdir():
        os.utime(path, (kleinstadt.clock.timestamp() - 60,) * 2)
    outcome = kleinstadt.run("kleinstadt", Order(sources=("bicycle_counters",)))
    assert len(outcome.errors) == 1
    assert "drop:large.csv has 501 bytes: raise http.max_bytes" in outcome.errors[0]
    assert kleinstadt.ask("kleinstadt", "select sum(value)::int from observation") == [(12,)]
    assert sorted(path.name for path in folder.iterdir()) == ["done", "large.csv"]
    assert [path.name[-10:] for path in (folder / "done").iterdir()] == ["august.csv"]
