"""The project's own files: lock, bill of materials, licence, and the rules that every source file keeps.

Nothing here installs or resolves; it compares what is written down.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT_DIR = Path(__file__).resolve().parents[1]
LOCK = (PROJECT_DIR / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text(encoding="utf-8"))
SOURCES = sorted((PROJECT_DIR / "civitas_assets").rglob("*.py"))
PLATFORMS = [
    {
        "sys_platform": name,
        "platform_machine": machine,
        "python_full_version": f"{minor}.0",
        "python_version": minor,
    }
    for name, machine in (("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"))
    for minor in ("3.11", "3.12", "3.13", "3.14")
]
# Put together from parts, so that this file does not hold what it looks for.
OUTSIDE = [
    *("files.pythonhosted" + ".org", "pypi" + ".org", "test.pypi" + ".org", "registry.npmjs" + ".org"),
    *("deb.debian" + ".org", "proxy.golang" + ".org", "static.crates" + ".io", "/" + "root/", "/" + "work/"),
    *("/" + "opt/", "/" + "tmp/"),
]


def _pins() -> dict[Requirement, list[str]]:
    """Each pin of the lock with its hashes."""
    entries = re.split(r"\n(?=[a-z0-9])", LOCK.split("\n#    make lock\n", 1)[1])
    return {
        Requirement(entry.split("\\\n", 1)[0].strip()): re.findall(r"--hash=sha256:([0-9a-f]{64})\b", entry)
        for entry in entries
    }


def _files() -> list[Path]:
    """What git tracks, and what is new and not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT_DIR, check=True, capture_output=True, text=True).stdout
    return [path for name in listed.split("\0") if name and (path := PROJECT_DIR / name).is_file()]


PINS = _pins()
VERSIONS = {canonicalize_name(pin.name): next(iter(pin.specifier)).version for pin in PINS}


def test_each_pin_is_exact_and_hashed() -> None:
    assert len(PINS) > 100
    for pin, hashes in PINS.items():
        assert [clause.operator for clause in pin.specifier] == ["=="], pin
        assert hashes, pin
        assert len(hashes) == len(set(hashes)), pin
    assert len(VERSIONS) == len(PINS), "a package is pinned twice"


def test_the_lock_names_no_place() -> None:
    assert not re.search(
        r"://|^--|--(?:extra-)?index-url|--find-links|--trusted-host| @ |\s/\w", LOCK, re.MULTILINE
    )


@pytest.mark.parametrize("group", ["runtime", *PROJECT["project"]["optional-dependencies"]])
def test_the_lock_satisfies_pyproject(group: str) -> None:
    project = PROJECT["project"]
    wanted = project["dependencies"] if group == "runtime" else project["optional-dependencies"][group]
    for requirement in map(Requirement, wanted):
        if requirement.name == project["name"]:
            continue
        version = VERSIONS.get(canonicalize_name(requirement.name))
        assert version, f"{requirement} is not in requirements.lock: make lock"
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement}, locked {version}"


def test_the_lock_holds_nothing_that_pyproject_dropped() -> None:
    project = PROJECT["project"]
    wanted = [
        *project["dependencies"],
        *(line for group in project["optional-dependencies"].values() for line in group),
    ]
    entries = re.split(r"\n(?=[a-z0-9])", LOCK)
    direct = {re.split(r"[=\[]", entry)[0] for entry in entries if re.search(r"# .*civitas-assets \(", entry)}
    named = {canonicalize_name(Requirement(line).name) for line in wanted} - {project["name"]}
    assert direct == named, "make lock"


def test_dagster_packages_move_together() -> None:
    names = (
        "dagster",
        "dagster-webserver",
        "dagster-graphql",
        "dagster-shared",
        "dagster-pipes",
        "dagster-dg-cli",
    )
    assert len({VERSIONS[canonicalize_name(name)] for name in names}) == 1


def test_the_bill_of_materials_is_that_of_the_lock() -> None:
    text = (PROJECT_DIR / "docs" / "dependencies" / "sbom.cdx.json").read_text(encoding="utf-8")
    bom = json.loads(text)
    assert bom["bomFormat"] == "CycloneDX"
    assert "serialNumber" not in bom
    assert "timestamp" not in bom["metadata"]
    listed = {canonicalize_name(part["name"]): part["version"] for part in bom["components"]}
    expected = {
        canonicalize_name(pin.name): VERSIONS[canonicalize_name(pin.name)]
        for pin in PINS
        if pin.marker is None or any(pin.marker.evaluate(platform) for platform in PLATFORMS)
    }
    assert listed == expected, "make install sbom"


def test_the_table_of_licences_is_that_of_the_lock() -> None:
    page = (PROJECT_DIR / "docs" / "dependencies" / "licences.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([a-z0-9][a-z0-9-]*) \| ([^ |]+) \| \S.* \|$", page, re.MULTILINE))
    assert rows.pop("package") == "version"
    direct = {canonicalize_name(Requirement(line).name) for line in PROJECT["project"]["dependencies"]}
    assert direct <= set(rows), "make install sbom"
    assert {name: VERSIONS[canonicalize_name(name)] for name in rows} == rows, "make install sbom"


def test_the_licence_is_the_whole_eupl() -> None:
    text = (PROJECT_DIR / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2\n")
    assert re.findall(r"^(\d+)\.[A-Z]", text, re.MULTILINE) == [str(number) for number in range(1, 16)]
    assert "‘Compatible Licences’ according to Article 5 EUPL are:" in text
    assert text.rstrip().endswith(
        "All other changes or additions to this Appendix require the production of a new EUPL version."
    )
    assert not re.search(r"<[a-z/]|&[a-z]+;", text)
    assert PROJECT["project"]["license"] == "EUPL-1.2"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PROJECT_DIR)))
def test_a_source_file_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") < 300
    assert ast.get_docstring(ast.parse(text)), "no module docstring"


def test_no_file_names_a_registry_or_a_place_on_some_machine() -> None:
    outside = re.compile(rb"(?<![\w.])(?:" + b"|".join(re.escape(place.encode()) for place in OUTSIDE) + b")")
    found = {
        str(path.relative_to(PROJECT_DIR)): match[0].decode()
        for path in _files()
        if (match := outside.search(path.read_bytes()))
    }
    assert not found


def test_dagster_finds_the_same_code_location_by_either_way() -> None:
    workspace = yaml.safe_load((PROJECT_DIR / "workspace.yaml").read_text(encoding="utf-8"))
    (location,) = (entry["python_module"] for entry in workspace["load_from"])
    named = PROJECT["tool"]["dg"]["project"]
    assert location["location_name"] == named["code_location_name"]
    assert location["module_name"] == named["code_location_target_module"]


def test_a_tenant_has_at_most_one_run() -> None:
    instance = yaml.safe_load((PROJECT_DIR / "deploy" / "dagster.yaml").read_text(encoding="utf-8"))
    limit = {"key": "dagster/partition", "value": {"applyLimitPerUniqueValue": True}, "limit": 1}
    assert limit in instance["concurrency"]["runs"]["tag_concurrency_limits"]
    assert instance["telemetry"] == {"enabled": False}


def test_each_package_that_is_asked_for_is_defended() -> None:
    """`docs/dependencies/choices.md` says of each, and of no other, what for it is installed."""
    table = (
        (PROJECT_DIR / "docs" / "dependencies" / "choices.md")
        .read_text(encoding="utf-8")
        .partition("\n## ")[0]
    )
    rows = re.findall(r"^\| (`.*?) \| \S", table, re.MULTILINE)
    defended = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    wanted = {Requirement(text).name for text in PROJECT["project"]["dependencies"]}
    assert sorted(defended) == sorted(wanted)
