"""The dictionary's files, and the contracts of the last release among them: writing, comparing, releasing.

What the files say is made in `model_pages.py` and `json_schema.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from civitas_assets.dictionary.compare import find_version_faults
from civitas_assets.dictionary.contracts import Contract, parse_version
from civitas_assets.dictionary.json_schema import build_json_schema
from civitas_assets.dictionary.model_pages import SCHEMA_FILE, render_index_page, render_model_page
from civitas_assets.errors import DictionaryError

RELEASED = "contracts.json"


@dataclass(frozen=True)
class Release:
    """The contracts as they were released with a version of the package; none yet is version 0.0.0."""

    version: str = "0.0.0"
    models: Mapping[str, Contract] = field(default_factory=dict)


def render_documents(contracts: Mapping[str, Contract]) -> dict[str, str]:
    """Every file that is made from the contracts, by its path in the dictionary's folder."""
    made = {"README.md": render_index_page(contracts)}
    for name, contract in contracts.items():
        made[f"{name}.md"] = render_model_page(contract, contracts)
        schema = json.dumps(build_json_schema(contract), indent=2, ensure_ascii=False)
        made[SCHEMA_FILE.format(name)] = schema + "\n"
    return made


def list_outdated_documents(folder: Path, contracts: Mapping[str, Contract]) -> tuple[str, ...]:
    """Files of the folder that say something else than the contracts, are missing, or are left over."""
    wanted, there = render_documents(contracts), _present(folder)
    return tuple(sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name)))


def write_documents(folder: Path, contracts: Mapping[str, Contract]) -> tuple[str, ...]:
    """Bring the folder up to the contracts; the files that were changed or removed."""
    changed = list_outdated_documents(folder, contracts)
    wanted = render_documents(contracts)
    for name in changed:
        file = folder / name
        if name in wanted:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(wanted[name], encoding="utf-8")
        else:
            file.unlink()
    return changed


def read_last_release(folder: Path) -> Release:
    """What was released last.

    Raises:
        DictionaryError: the file does not hold contracts.
    """
    file = folder / RELEASED
    if not file.is_file():
        return Release()
    try:
        return msgspec.json.decode(file.read_bytes(), type=Release)
    except msgspec.DecodeError as error:
        raise DictionaryError(
            f"{file} does not hold released contracts: {error}; restore it from git"
        ) from error


def find_release_faults(before: Release, contracts: Mapping[str, Contract], version: str) -> tuple[str, ...]:
    """What forbids releasing the contracts with this version of the package; none is fine."""
    old, new = parse_version(before.version), parse_version(version)
    may_remove = new[0] > old[0] or (new[0] == old[0] == 0 and new[1] > old[1])
    return find_version_faults(before.models, contracts, may_remove=may_remove)


def write_release(folder: Path, contracts: Mapping[str, Contract], version: str) -> None:
    """Remember the contracts as released with this version of the package.

    Raises:
        DictionaryError: a model's version does not do justice to its changes since the last release.
    """
    wrong = find_release_faults(read_last_release(folder), contracts, version)
    if wrong:
        raise DictionaryError("\n".join(["these contracts cannot be released:", *wrong]))
    content = msgspec.json.encode(Release(version, contracts))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RELEASED).write_bytes(msgspec.json.format(content, indent=1) + b"\n")


def _present(folder: Path) -> dict[str, str]:
    files = [*folder.glob("*.md"), *folder.glob(SCHEMA_FILE.format("*"))]
    return {file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8") for file in files}
