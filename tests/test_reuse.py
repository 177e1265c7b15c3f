"""What catalogues and licence checkers read of this repository: publiccode.yml, and licences by REUSE.

`make reuse` asks the checker itself, where it is installed.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml

from civitas_assets import __version__
from civitas_assets.report.language import LANGUAGES

PROJECT_DIR = Path(__file__).resolve().parents[1]
SOFTWARE = yaml.safe_load((PROJECT_DIR / "publiccode.yml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Source: the standard's core schema 0.4, https://yml.publiccode.tools/schema.core.html
MANDATORY = {
    "publiccodeYmlVersion", "name", "url", "platforms", "developmentStatus", "softwareType", "description", "legal",
    "maintenance", "localisation",
}  # fmt: skip


def test_publiccode_has_what_its_standard_asks_for() -> None:
    assert SOFTWARE.keys() >= MANDATORY
    assert SOFTWARE["publiccodeYmlVersion"] == "0.4"
    assert SOFTWARE["url"].startswith("https://")
    assert SOFTWARE["developmentStatus"] in {"concept", "development", "beta", "stable", "obsolete"}
    assert SOFTWARE["softwareType"] in {"standalone/backend", "standalone/web", "standalone/other"}
    assert SOFTWARE["maintenance"]["type"] in {"internal", "community"}
    assert all(contact["name"] for contact in SOFTWARE["maintenance"]["contacts"])
    assert isinstance(SOFTWARE["localisation"]["localisationReady"], bool)
    assert {"de", "en"} == SOFTWARE["description"].keys()
    for said in SOFTWARE["description"].values():
        assert 0 < len(said["shortDescription"]) <= 150
        assert 150 <= len(said["longDescription"]) <= 10_000
        assert said["features"]
        assert all(0 < len(feature) <= 100 for feature in said["features"])


def test_publiccode_says_what_the_project_says() -> None:
    assert SOFTWARE["softwareVersion"] == __version__ == PROJECT["version"]
    assert SOFTWARE["legal"]["license"] == PROJECT["license"]
    assert SOFTWARE["localisation"]["availableLanguages"] == sorted(LANGUAGES)
    assert "Beta" in PROJECT["classifiers"][0]
    python = next(part for part in SOFTWARE["dependsOn"]["open"] if part["name"] == "Python")
    assert PROJECT["requires-python"] == f">={python['versionMin']}"


def test_every_file_has_a_licence_whose_text_is_there() -> None:
    said = tomllib.loads((PROJECT_DIR / "REUSE.toml").read_text(encoding="utf-8"))
    assert said["version"] == 1
    assert "**" in {each["path"] for each in said["annotations"]}
    named = {name for each in said["annotations"] for name in each["SPDX-License-Identifier"].split(" AND ")}
    assert (
        next(each for each in said["annotations"] if each["path"] == "**")["SPDX-License-Identifier"]
        == (PROJECT["license"])
    )
    assert {path.stem for path in (PROJECT_DIR / "LICENSES").iterdir()} == named
    text = (PROJECT_DIR / "LICENSES" / "EUPL-1.2.txt").read_bytes()
    assert text == (PROJECT_DIR / "LICENSE").read_bytes()
    assert all(each["SPDX-FileCopyrightText"] for each in said["annotations"])
