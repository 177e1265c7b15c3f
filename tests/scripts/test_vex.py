"""The VEX document says what people have assessed of what is deployed, and nothing else."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pytest
import yaml

from civitas_assets.settings import PROJECT_DIR

FOLDER = PROJECT_DIR / "docs" / "dependencies"
ASSESSMENTS = yaml.safe_load((FOLDER / "assessments.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def script() -> Any:
    spec = importlib.util.spec_from_file_location("write_vex", PROJECT_DIR / "scripts" / "write_vex.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_document_is_that_of_the_assessments_and_of_what_is_deployed(script: Any) -> None:
    written = (FOLDER / "vex.cdx.json").read_text(encoding="utf-8")
    assert written == script.vex(ASSESSMENTS, script.known_components()), "make sbom"
    said = {entry["id"]: entry for entry in json.loads(written)["vulnerabilities"]}
    assert said.keys() == {one["id"] for one in ASSESSMENTS}
    for one in ASSESSMENTS:
        assert one["evidence"], "what was read"
        assert said[one["id"]]["analysis"]["state"] == one["state"]


def test_a_component_that_has_changed_is_looked_at_again(script: Any) -> None:
    stale = [{**ASSESSMENTS[0], "component": "quay.io/oauth2-proxy/oauth2-proxy:v7.0.0"}]
    with pytest.raises(SystemExit, match=r"look again: quay\.io/oauth2-proxy/oauth2-proxy:v7\.0\.0"):
        script.vex(stale, script.known_components())


def test_a_package_of_the_bill_of_materials_can_be_assessed(script: Any) -> None:
    components = script.known_components()
    (package,) = (name for name in components if name.startswith("duckdb=="))
    one: dict[str, Any] = {
        "id": "CVE-2000-0001",
        "component": package,
        "state": "in_triage",
        "detail": "d",
        "evidence": ["https://a.example"],
    }
    (statement,) = json.loads(script.vex([one], components))["vulnerabilities"]
    assert statement["affects"][0]["versions"][0]["status"] == "affected"
    with pytest.raises(SystemExit, match="No state"):
        script.vex([{**one, "state": "fine"}], components)
