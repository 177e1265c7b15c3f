"""A release has notes only where version, changes and contracts are of one state; the pipeline calls what is there."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from civitas_assets.settings import PROJECT_DIR

FILE = PROJECT_DIR / "scripts" / "write_release_notes.py"
PIPELINE = PROJECT_DIR / ".gitlab-ci.yml"
CHANGES = (
    "# Changes\n\n## 1.1.0 — {day}\n\n### Added\n\n- A thing.\n\n## 1.0.0 — 2027-01-02\n\n- The first.\n"
)


@pytest.fixture(scope="module")
def notes() -> Any:
    spec = importlib.util.spec_from_file_location("write_release_notes", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _checkout(
    folder: Path, *, day: str = "2027-03-01", contracts: str = "1.1.0", event: str = "2.0.0"
) -> Path:
    schemas = folder / "docs/models/schemas"
    schemas.mkdir(parents=True)
    for name, version in {"station": "1.1.0", "event": event}.items():
        (schemas / f"{name}.schema.json").write_text(json.dumps({"$id": f"urn:core:{name}:{version}"}))
    (folder / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1.1.0"\n')
    (folder / "CHANGELOG.md").write_text(CHANGES.format(day=day))
    released = {
        "version": contracts,
        "models": {"station": {"version": "1.1.0"}, "event": {"version": "2.0.0"}},
    }
    (folder / "docs/models/contracts.json").write_text(json.dumps(released))
    return folder


def test_notes_are_the_section_of_the_version_and_its_contracts(notes: Any, tmp_path: Path) -> None:
    assert notes.write_notes(_checkout(tmp_path), "1.1.0") == (
        "### Added\n\n- A thing.\n\n### Contracts\n\n| shared model | contract |\n| --- | --- |\n"
        "| event | 2.0.0 |\n| station | 1.1.0 |\n"
    )


@pytest.mark.parametrize(
    ("version", "state", "said"),
    [
        ("1.2.0", {}, "pyproject.toml says version 1.1.0, not 1.2.0"),
        ("1.1.0", {"day": "not yet released"}, "write its day instead"),
        ("1.1.0", {"contracts": "1.0.0"}, "civitas models --release"),
        ("1.1.0", {"event": "2.1.0"}, "has not the present contract of event; first run: civitas models"),
    ],
)
def test_what_is_not_ready_is_named(
    notes: Any, tmp_path: Path, version: str, state: dict[str, str], said: str
) -> None:
    with pytest.raises(notes.NotReadyError, match=said):
        notes.write_notes(_checkout(tmp_path, **state), version)


def test_this_state_says_what_its_release_lacks() -> None:
    ended = subprocess.run([sys.executable, FILE, "9.9.9"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "9.9.9" in ended.stderr


def test_no_release_leads_catalogues_of_software_elsewhere(notes: Any) -> None:
    notes.check_address("name: x\nurl: https://gitlab.example/a/b.git\n", "https://gitlab.example/a/b")
    with pytest.raises(
        notes.NotReadyError, match=r"says url: https://gitlab\.example/civitas_assets\.git; write"
    ):
        notes.check_address(
            (PROJECT_DIR / "publiccode.yml").read_text(encoding="utf-8"), "https://git.example/x"
        )


def test_the_pipeline_calls_what_is_there() -> None:
    jobs = yaml.safe_load(PIPELINE.read_text(encoding="utf-8"))
    assert jobs["check"]["script"] == ["bash .ci/run"]
    assert (PROJECT_DIR / ".ci/run").is_file()
    assert jobs["documentation"]["script"] == ["make docs"]
    assert jobs["documentation"]["artifacts"]["paths"] == ["dist/docs"]
    said = PIPELINE.read_text(encoding="utf-8")
    for path in ("deploy/Dockerfile", "scripts/write_release_notes.py"):
        assert path in said
        assert (PROJECT_DIR / path).is_file()


@pytest.mark.integration
def test_the_pipeline_is_valid_by_gitlabs_schema(oracle: Callable[..., Path]) -> None:
    """The schema that GitLab publishes, as check-jsonschema brings it along."""
    python = oracle("check-jsonschema", "0.39.0")
    of_gitlab = ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")
    ended = subprocess.run(
        [python, "-m", "check_jsonschema", *of_gitlab, PIPELINE], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
