"""Writes docs/dependencies/vex.cdx.json: what is known of vulnerabilities in what is deployed, as CycloneDX.

It holds what people have assessed in assessments.yaml, of components in the bill of materials or named as images in
deploy/compose.yaml, in the version that is there. It claims nothing of what nobody has looked at.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator

PROJECT_DIR = Path(__file__).resolve().parent.parent
FOLDER = PROJECT_DIR / "docs" / "dependencies"
STATES = {"resolved", "exploitable", "in_triage", "false_positive", "not_affected"}


def known_components() -> dict[str, dict[str, Any]]:
    """The components of a deployment by the name and version that an assessment gives."""
    bom = json.loads((FOLDER / "sbom.cdx.json").read_text(encoding="utf-8"))
    packages = {
        f"{part['name']}=={part['version']}": {
            key: part[key] for key in ("type", "name", "version", "purl", "bom-ref") if key in part
        }
        for part in bom["components"]
    }
    services = yaml.safe_load((PROJECT_DIR / "deploy" / "compose.yaml").read_text(encoding="utf-8"))[
        "services"
    ]
    images = {service["image"].split("@")[0] for service in services.values() if "$" not in service["image"]}
    return packages | {image: _container(image) for image in images}


def _container(image: str) -> dict[str, Any]:
    name, version = image.rsplit(":", 1)
    return {"type": "container", "name": name, "version": version, "bom-ref": image}


def vex(assessments: list[dict[str, Any]], components: dict[str, dict[str, Any]]) -> str:
    """The document; an assessment of what is not deployed stops it."""
    bom = json.loads((FOLDER / "sbom.cdx.json").read_text(encoding="utf-8"))
    gone = sorted({one["component"] for one in assessments} - components.keys())
    if gone:
        raise SystemExit(f"Assessed, but not deployed in this version; look again: {', '.join(gone)}")
    if unknown := {one["state"] for one in assessments} - STATES:
        raise SystemExit(f"No state of an assessment: {', '.join(sorted(unknown))}")
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": bom["specVersion"],
        "version": 1,
        "metadata": {"component": bom["metadata"]["component"]},
        "components": [components[name] for name in sorted({one["component"] for one in assessments})],
        "vulnerabilities": [
            _statement(one, components) for one in sorted(assessments, key=lambda one: one["id"])
        ],
    }
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    validator = make_schemabased_validator(OutputFormat.JSON, SchemaVersion.from_version(bom["specVersion"]))
    if error := validator.validate_str(text):
        raise SystemExit(f"The document breaks its schema: {error}")
    return text


def _statement(one: dict[str, Any], components: dict[str, dict[str, Any]]) -> dict[str, Any]:
    component = components[one["component"]]
    status = "affected" if one["state"] in {"exploitable", "in_triage"} else "unaffected"
    return {
        "id": one["id"],
        "advisories": [{"url": url} for url in one["evidence"]],
        "analysis": {"state": one["state"], "detail": one["detail"]},
        "affects": [
            {"ref": component["bom-ref"], "versions": [{"version": component["version"], "status": status}]}
        ],
    }


def main() -> None:
    """Write it."""
    assessments = yaml.safe_load((FOLDER / "assessments.yaml").read_text(encoding="utf-8"))
    (FOLDER / "vex.cdx.json").write_text(vex(assessments, known_components()), encoding="utf-8")


if __name__ == "__main__":
    main()
