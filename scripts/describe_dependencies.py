"""Writes docs/dependencies: a CycloneDX bill of materials, and a table of the licences a deployment brings.

Both describe requirements.lock as installed in the running environment. No time, path or address gets into
them, so that one lock gives one result. What a new licence means for us, a person decides, not this.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

PROJECT_DIR = Path(__file__).resolve().parent.parent
TARGET = PROJECT_DIR / "docs" / "dependencies"

# What packages write, and the SPDX expression they mean. A licence that is missing here stops the run.
LICENCES = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Apache Software License; BSD License": "Apache-2.0 OR BSD-3-Clause",
    "Apache Software License; MIT License": "Apache-2.0 OR MIT",
    "Artistic License; GNU General Public License (GPL); GNU General Public License v2 or later (GPLv2+)": (
        "Artistic-1.0-Perl OR GPL-2.0-or-later"
    ),
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-3.0-or-later",  # psycopg2, whose text says so
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "LGPL-2.1": "LGPL-2.1-or-later",  # paramiko, whose files say so
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    **{
        spdx: spdx
        for spdx in (
            "Apache-2.0",
            "Apache-2.0 AND BSD-2-Clause",
            "Apache-2.0 OR BSD-2-Clause",
            "Apache-2.0 OR BSD-3-Clause",
            "BSD-2-Clause",
            "BSD-3-Clause",
            "BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0",
            "EPL-2.0 OR BSD-3-Clause",
            "LGPL-2.1-or-later",
            "LGPL-3.0-only",
            "LGPL-3.0-or-later",
            "MIT",
            "MIT-0",
            "MIT AND PSF-2.0",
            "MIT OR Apache-2.0",
            "MPL-2.0 AND MIT",
            "PSF-2.0",
        )
    },
}

INTRODUCTION = """\
# Licences of what a deployment installs

`make sbom` writes this page and [`sbom.cdx.json`](sbom.cdx.json) from `requirements.lock`. The table holds
what runs in production; what serves development is in the bill of materials only, with scope `excluded`.

**Judgement.** This project is under the EUPL-1.2 and distributes none of these packages: they are installed
beside it, unchanged, under their own terms. Nearly all are under permissive licences (Apache-2.0, BSD, ISC,
MIT, MIT-0, PSF-2.0), which set no condition on a work that uses them. The others are:

{attention}

All of them are compatible with the EUPL-1.2, whose appendix names GPL v2 and v3, LGPL v2.1 and v3 and MPL v2. Whoever
passes the packages on, as in a container image, passes on their licence texts too: the wheels carry these in their
`*.dist-info` folders, with those of native libraries inside.

| package | version | licence |
| --- | --- | --- |
"""
ATTENTION = {
    "MPL": "the MPL keeps changes to its own files open and asks nothing of works around them",
    "LGPL": "a library that is installed beside this work and not changed, which the LGPL allows to all works",
    " GPL": "offered under the Artistic licence as well as under the GPL, and used under the former",
}


def locked() -> dict[NormalizedName, str]:
    """Name and version of each pin that applies here."""
    text = (PROJECT_DIR / "requirements.lock").read_text(encoding="utf-8")
    pins = [Requirement(line) for line in re.findall(r"^([a-z][^\\\n]*?) *\\?$", text, re.MULTILINE)]
    return {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version
        for pin in pins
        if pin.marker is None or pin.marker.evaluate()
    }


def runtime() -> set[NormalizedName]:
    """Names of the packages that the project needs in production, with all that they need."""
    project = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    # The image has the extra, too.
    wanted_by_us = [*project["dependencies"], *project["optional-dependencies"]["parkapi"]]
    waiting = [Requirement(line) for line in wanted_by_us]
    seen: dict[NormalizedName, set[str]] = {}
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in seen and wanted.extras <= seen[name]:
            continue
        seen.setdefault(name, set()).update(wanted.extras)
        for line in distribution(name).requires or []:
            need = Requirement(line)
            if need.marker is None or any(need.marker.evaluate({"extra": e}) for e in {"", *wanted.extras}):
                waiting.append(need)
    return set(seen)


def output_of(module: str, *arguments: str) -> Any:
    """What a tool of this environment prints as JSON."""
    command = [sys.executable, "-m", module, *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, cwd=PROJECT_DIR).stdout)  # noqa: S603


def bill_of_materials(pins: dict[NormalizedName, str], needed: set[NormalizedName]) -> str:
    """The environment as CycloneDX JSON, reduced to what the lock pins."""
    options = ("--output-reproducible", "--pyproject", "pyproject.toml", "--mc-type", "application")
    bom = output_of("cyclonedx_py", "environment", *options, "--of", "JSON", sys.executable)
    components = {canonicalize_name(part["name"]): part for part in bom["components"]}
    if found := {
        name: version for name, version in pins.items() if components.get(name, {}).get("version") != version
    }:
        raise SystemExit(f"The environment is not that of requirements.lock; first `make install`: {found}")
    parts = [components[name] for name in sorted(pins)]
    kept = {part["bom-ref"] for part in parts} | {bom["metadata"]["component"]["bom-ref"]}
    for part in [*parts, bom["metadata"]["component"], *bom["metadata"]["tools"]["components"]]:
        for free_text in ("description", "externalReferences", "properties"):
            part.pop(free_text, None)
    for part in parts:
        part["scope"] = "required" if canonicalize_name(part["name"]) in needed else "excluded"
    bom["components"] = parts
    bom["dependencies"] = [
        {**edge, "dependsOn": sorted(set(edge.get("dependsOn", ())) & kept)}
        for edge in sorted(bom["dependencies"], key=lambda edge: str(edge["ref"]))
        if edge["ref"] in kept
    ]
    text = json.dumps(bom, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    validator = make_schemabased_validator(OutputFormat.JSON, SchemaVersion.from_version(bom["specVersion"]))
    if error := validator.validate_str(text):
        raise SystemExit(f"The bill of materials breaks its schema: {error}")
    return text


def licences(pins: dict[NormalizedName, str], needed: set[NormalizedName]) -> str:
    """The page with the table of licences."""
    rows = {}
    for part in output_of("piplicenses", "--format=json", "--from=mixed", "--packages", *sorted(needed)):
        if part["License"] not in LICENCES:
            raise SystemExit(
                f"{part['Name']} has the licence {part['License']!r}, which nobody has looked at yet"
            )
        rows[canonicalize_name(part["Name"])] = LICENCES[part["License"]]
    attention = [
        f"- `{name}` ({licence}): {meaning}."
        for name, licence in sorted(rows.items())
        for mark, meaning in ATTENTION.items()
        if mark in licence
    ]
    table = [f"| {name} | {pins[name]} | {licence} |" for name, licence in sorted(rows.items())]
    return INTRODUCTION.format(attention="\n".join(attention)) + "\n".join(table) + "\n"


def main() -> None:
    """Write both files."""
    pins, needed = locked(), runtime()
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / "sbom.cdx.json").write_text(bill_of_materials(pins, needed), encoding="utf-8")
    (TARGET / "licences.md").write_text(licences(pins, needed), encoding="utf-8")


if __name__ == "__main__":
    main()
