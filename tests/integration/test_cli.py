"""The `civitas` command as a user meets it: exit codes, tables, and messages that say what to do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.integration.conftest import Civitas, Server, Workplace


def test_run_exits_with_0_only_if_every_source_was_fine(civitas: Civitas, town: Server) -> None:
    fine = civitas("run", "--tenant", "kleinstadt")
    assert fine.exit_code == 0, fine.output
    assert "published" in fine.output
    assert "nothing new" in civitas("run").output
    town.pages["/parking.json"] = None
    broken = civitas("run", "-t", "kleinstadt")
    assert broken.exit_code == 1
    assert "landing/json · parking" in broken.output


def test_query_prints_a_table(civitas: Civitas) -> None:
    assert civitas("run").exit_code == 0
    answer = civitas(
        "query", "kleinstadt", "select station_id, sum(value)::int as total from observation group by 1"
    )
    assert answer.exit_code == 0
    assert "1x" in answer.output
    assert "12" in answer.output
    assert "integer" in answer.output
    assert civitas("query", "kleinstadt", "select 1 as n", "--csv").output == "n\n1\n"
    outside = civitas("query", "kleinstadt", "select * from read_csv('/etc/passwd')")
    assert outside.exit_code == 1


def test_workspace_leaves_records_for_dbt_and_says_what_to_set(
    civitas: Civitas, kleinstadt: Workplace, tmp_path: Path
) -> None:
    folder = tmp_path / "by hand"
    nothing = civitas("workspace", "kleinstadt", "-o", str(folder))
    assert nothing.exit_code == 1
    assert "civitas run --tenant kleinstadt" in nothing.output
    assert civitas("run").exit_code == 0
    for _ in range(2):  # the second one takes the place of the first
        made = civitas("workspace", "kleinstadt", "--days", "1", "-o", str(folder))
        assert made.exit_code == 0, made.output
        assert made.stdout.splitlines() == [
            f"export DBT_PROJECT_DIR={kleinstadt.project.folder}", f"export DBT_PROFILES_DIR='{folder}'"
        ]  # fmt: skip
    with duckdb.connect(str(folder / "workspace.duckdb"), read_only=True) as records:
        assert records.execute("select sum(value)::int from records.observation").fetchall() == [(12,)]


def test_workspace_removes_no_folder_that_is_none(civitas: Civitas, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("", encoding="utf-8")
    refused = civitas("workspace", "kleinstadt", "-o", str(tmp_path))
    assert refused.exit_code == 2
    assert "--output" in refused.output
    assert (tmp_path / "mine").exists()


def test_rebuild_makes_the_output_anew_without_fetching(
    civitas: Civitas, town: Server, kleinstadt: Workplace
) -> None:
    assert civitas("run").exit_code == 0
    kleinstadt.published("kleinstadt").unlink()
    town.pages.clear()
    assert civitas("rebuild", "kleinstadt", "--records").exit_code == 0
    assert kleinstadt.ask("kleinstadt", "select sum(value)::int from observation") == [(12,)]
    assert list((kleinstadt.settings.home / "aside").iterdir())


def test_mappings_lists_what_nobody_knows_and_writes_what_it_means(
    civitas: Civitas, town: Server, kleinstadt: Workplace
) -> None:
    file = kleinstadt.settings.tenants_dir / "kleinstadt.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("traffic.bicycle_count", '"Fahrrad Zählung"'), encoding="utf-8")
    assert civitas("run").exit_code == 0
    assert kleinstadt.ask("kleinstadt", "select count(*) from observation") == [(0,)]
    listed = civitas("mappings", "kleinstadt")
    assert listed.exit_code == 0
    assert "traffic.bicycle_count" in listed.output

    wrong = civitas("mappings", "kleinstadt", "--property", "Fahrrad Zählung=traffic.bikes")
    assert wrong.exit_code != 0
    assert "is no code of a property" in wrong.output
    assert (
        civitas("mappings", "kleinstadt", "--property", "Fahrrad Zählung=traffic.bicycle_count").exit_code
        == 0
    )
    assert file.read_text(encoding="utf-8").endswith(
        'properties:\n  "Fahrrad Zählung": traffic.bicycle_count\n'
    )
    assert civitas("rebuild", "kleinstadt").exit_code == 0
    assert kleinstadt.ask("kleinstadt", "select sum(value)::int from observation") == [(12,)]
    assert "all properties and units are known" in civitas("mappings", "kleinstadt").output


def test_validate_names_every_fault(civitas: Civitas, kleinstadt: Workplace) -> None:
    assert civitas("validate").exit_code == 0
    kleinstadt.write_tenant("falsch", "name: Falsch\nags: 5515000\nbbox: [1, 2, 3, 4]\nsorces: {}\n")
    result = civitas("validate")
    assert result.exit_code == 1
    text = result.output
    assert "falsch.yaml:2: ags" in text
    assert "falsch.yaml:4: sorces" in text
    assert "did you mean sources?" in text


def test_schema_is_json_schema(civitas: Civitas, tmp_path: Path) -> None:
    assert civitas("schema", str(tmp_path / "tenant.json")).exit_code == 0
    schema = json.loads((tmp_path / "tenant.json").read_text())
    assert schema["$schema"].endswith("2020-12/schema")
    assert json.loads(civitas("schema").stdout) == schema


@pytest.mark.parametrize(
    "command", [[], ["run"], ["validate"], ["schema"], ["query"], ["rebuild"], ["demo"], ["export"]]
)
def test_help_reads_well(civitas: Civitas, command: list[str]) -> None:
    result = civitas(*command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output
    assert len(result.output.splitlines()) > 5


def test_unreadable_day_is_named(civitas: Civitas) -> None:
    result = civitas("run", "--from", "yesterday")
    assert result.exit_code == 2
    assert "2026-08-01" in result.output


def test_error_is_one_sentence_and_not_a_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "civitas_assets.cli", "validate"],
        env={"CIVITAS_TENANTS_DIR": str(tmp_path / "nowhere"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "CIVITAS_TENANTS_DIR" in done.stderr


def test_models_are_listed_and_shown_with_their_columns(civitas: Civitas) -> None:
    listed = civitas("models")
    assert listed.exit_code == 0, listed.output
    assert re.search(
        r"parking_status +One row per parking site and time of +by day +\d+ +\d+\.\d+\.\d+", listed.stdout
    )
    shown = civitas("models", "observation").stdout
    assert re.search(r"^ ?value +double +yes +in unit +The value in the canonical unit", shown, re.MULTILINE)
    assert "inner join datastream as d using (datastream_key)" in shown
    unknown = civitas("models", "parking")
    assert unknown.exit_code == 1
    assert "there is no shared model parking; there are: " in unknown.output


def test_a_breaking_change_of_a_contract_is_printed_and_fails(
    civitas: Civitas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("civitas_assets.cli.models.FOLDER", tmp_path / "models")
    stale = civitas("models", "--check")
    assert stale.exit_code == 1
    assert "is out of date, run `make models`: README.md" in " ".join(stale.output.split())
    assert civitas("models", "--write", "--release", "--check").exit_code == 0
    file = tmp_path / "models" / "contracts.json"
    released = json.loads(file.read_text(encoding="utf-8"))
    lost = {"type": "varchar", "description": "No more.", "nullable": True}
    released["models"]["station"]["columns"]["colour"] = lost
    file.write_text(json.dumps(released), encoding="utf-8")
    checked = civitas("models", "--check")
    assert checked.exit_code == 1
    assert "station: column colour removed (breaking)" in checked.stdout
    assert re.search(
        r"error station \S+ was released before these changes: they ask for \d+\.0\.0", checked.output
    )
    refused = civitas("models", "--release")
    assert refused.exit_code == 1
    assert "these contracts cannot be released" in refused.output
