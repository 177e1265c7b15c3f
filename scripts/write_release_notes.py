"""Prints the notes of a release: what CHANGELOG.md says of the version, and the versions of the contracts.

It refuses what is not ready: a version that pyproject.toml does not have, one without a day in CHANGELOG.md, and
contracts that were not released with it (`civitas models --release`), and, where the pipeline knows the address of the
repository (`CI_PROJECT_URL`), a publiccode.yml with another one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tomllib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent
_HEADING = re.compile(r"^## (?P<version>\d+\.\d+\.\d+) — (?P<when>.+)$", re.MULTILINE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class NotReadyError(Exception):
    """Something that has to be done before there can be a release."""


def read_changes(changelog: str, version: str) -> str:
    """The section of a version, without its heading.

    Raises:
        NotReadyError: there is none, or it has no day.
    """
    headings = list(_HEADING.finditer(changelog))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        if heading["version"] == version:
            if not _DAY.fullmatch(heading["when"]):
                raise NotReadyError(
                    f"CHANGELOG.md says of {version} {heading['when']!r}; write its day instead, as 2027-01-31"
                )
            return changelog[heading.end() : following.start() if following else None].strip()
    raise NotReadyError(
        f"CHANGELOG.md has no section of {version}; it has {', '.join(each['version'] for each in headings) or 'none'}"
    )


def describe_contracts(released: str, version: str) -> str:
    """A table of the shared models with their versions, of `docs/models/contracts.json` as text.

    Raises:
        NotReadyError: the contracts were released with another version of the package.
    """
    contracts = json.loads(released)
    if contracts["version"] != version:
        raise NotReadyError(
            f"docs/models/contracts.json is of {contracts['version']}; first run: civitas models --release"
        )
    rows = [f"| {name} | {model['version']} |" for name, model in sorted(contracts["models"].items())]
    return "\n".join(["| shared model | contract |", "| --- | --- |", *rows])


def check_models(released: str, schemas: Path) -> None:
    """Let no model be left out of what the contracts of the release are compared with later.

    Raises:
        NotReadyError: the JSON Schemas, which are made of the present contracts, are of other models or versions.
    """
    models = json.loads(released)["models"]
    known = {name: model["version"] for name, model in models.items()}
    present = {
        file.name.removesuffix(".schema.json"): json.loads(file.read_text(encoding="utf-8"))[
            "$id"
        ].rpartition(":")[2]
        for file in schemas.glob("*.schema.json")
    }
    if wrong := sorted(
        name for name in known.keys() | present.keys() if known.get(name) != present.get(name)
    ):
        raise NotReadyError(
            f"docs/models/contracts.json has not the present contract of {', '.join(wrong)}; "
            "first run: civitas models --release"
        )


def check_address(publiccode: str, repository: str) -> None:
    """Let no catalogue of software be led elsewhere than to this repository.

    Raises:
        NotReadyError: publiccode.yml has another address, or none.
    """
    found = re.search(r"^url:\s*(\S+)\s*$", publiccode, re.MULTILINE)
    said = found[1].strip("\"'") if found else ""
    if said.removesuffix("/").removesuffix(".git") != repository.removesuffix("/").removesuffix(".git"):
        raise NotReadyError(f"publiccode.yml says url: {said}; write {repository}.git, where it is published")


def write_notes(folder: Path, version: str, repository: str = "") -> str:
    """The notes of the checkout in this folder.

    Raises:
        NotReadyError: something of it is not that version's.
    """
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if project["version"] != version:
        raise NotReadyError(f"pyproject.toml says version {project['version']}, not {version}")
    changes = read_changes((folder / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    if repository:
        check_address((folder / "publiccode.yml").read_text(encoding="utf-8"), repository)
    released = (folder / "docs/models/contracts.json").read_text(encoding="utf-8")
    table = describe_contracts(released, version)
    check_models(released, folder / "docs/models/schemas")
    return f"{changes}\n\n### Contracts\n\n{table}\n"


def main() -> int:
    """The exit code: 1 where something is not ready, and what."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("version", help="such as 1.0.0, without v")
    try:
        repository = os.environ.get("CI_PROJECT_URL", "")
        sys.stdout.write(write_notes(FOLDER, parser.parse_args().version, repository))
    except NotReadyError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
