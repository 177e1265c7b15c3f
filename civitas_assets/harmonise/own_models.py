"""A deployment's own dbt models: they stand below `shared/own` in a copy of the project, and are published like others.

Their group is another one, so that dbt lets them read what is public, and nothing else.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from civitas_assets.errors import HarmoniseError

OWN = Path("models", "shared", "own")
_PROJECT = "dbt_project.yml"
_GROUP = "deployment"
_GROUPS = f"""\
groups:
  - name: {_GROUP}
    description: What a deployment makes of the shared models.
    owner: {{name: Those who run the deployment}}
"""
_KINDS = (".sql", ".yml")
_HOW_PUBLISHED = ("replace_all", "replace_days")


def list_own_files(folder: Path | None) -> list[Path]:
    """The files of a deployment's models, in order.

    Raises:
        HarmoniseError: the folder is not there.
    """
    if folder is None:
        return []
    if not folder.is_dir():
        raise HarmoniseError(f"there is no folder {folder}; set CIVITAS_MODELS_DIR")
    return sorted(path for path in folder.rglob("*") if path.suffix in _KINDS and path.is_file())


def copy_project(folder: Path, own: Path, target: Path) -> None:
    """A dbt project with the models of both."""
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("target", "logs", ".*"))
    for file in list_own_files(own):
        place = target / OWN / file.relative_to(own)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
    settings = yaml.safe_load((target / _PROJECT).read_text(encoding="utf-8"))
    settings["models"][settings["name"]]["shared"]["own"] = {"+group": _GROUP}
    (target / _PROJECT).write_text(yaml.safe_dump(settings), encoding="utf-8")
    (target / "models" / "own_group.yml").write_text(_GROUPS, encoding="utf-8")


def check_own_models(manifest: Mapping[str, Any]) -> None:
    """Let no model be published of which nobody knows what it promises.

    Raises:
        HarmoniseError: with each model that lacks something, and what.
    """
    faults = [
        f"{node['original_file_path'].removeprefix(f'{OWN.as_posix()}/')}: {reason}"
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1:3] == ["shared", "own"]
        for reason in _lacks(node)
    ]
    if faults:
        raise HarmoniseError(
            "models of CIVITAS_MODELS_DIR cannot be published:\n" + "\n".join(sorted(faults))
        )


def _lacks(node: Mapping[str, Any]) -> Iterator[str]:
    if not node["config"]["contract"]["enforced"]:
        yield "needs an enforced contract: contract: {enforced: true}, and all columns with data_type"
    if node["config"]["meta"].get("publish") not in _HOW_PUBLISHED:
        yield f"needs meta: {{publish: …}}, one of {', '.join(_HOW_PUBLISHED)}"
    if "tenant" not in node["columns"]:
        yield "needs the column tenant, as every published table has it"
