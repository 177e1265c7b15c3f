"""Five hundred tenants, each with sources of its own names: what Dagster asks of the code location, it gets in full.

How long that takes is measured by the benchmark `code_location_of_500_tenants`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from civitas_assets.harmonise.project import Project
from testbed.deployed import code_server
from testbed.history import history
from testbed.towns import Location, environment_of, write_towns


def test_definitions_and_ticks_do_not_grow_with_names_of_sources(tmp_path: Path, project: Project) -> None:
    write_towns(tmp_path / "tenants", 500)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dbt").symlink_to(project.prepared.parent)
    with history(tmp_path / "dagster") as kept, code_server(environment_of(tmp_path)) as server:
        location = Location(server, kept.instance)
        definitions = location.definitions()
        _, megabytes = server.used()
        tick = location.tick("nightly", datetime.now(UTC))
        sensors = [location.look(name) for name in ("dropped_files", "waiting_messages", "stale_sources")]
    assert "stadt500" in definitions
    assert "zaehler_" not in definitions, "a source's name is in what is asked of a landing or its check"
    assert len(definitions.encode()) < 10e6
    assert megabytes < 600
    assert "stadt500" in tick, "all tenants are due"
    assert not [said for said in sensors if "SerializableErrorInfo" in said]
