"""The dictionary's files, and the contracts of the last release among them: comparing, releasing.

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
from civitas_assets.harmonise.derived_files import DerivedFiles

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


def derive_documents(folder: Path, contracts: Mapping[str, Contract]) -> DerivedFiles:
    """The dictionary's folder as the contracts have it."""
    return DerivedFiles(folder, render_documents(contracts), ("*.md", SCHEMA_FILE.format("*")))


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
