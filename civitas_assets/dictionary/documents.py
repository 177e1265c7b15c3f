"""The dictionary's files, and the contracts of the last release among them: writing, comparing, releasing.

What the files say is made in `pages.py` and `json_schema.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from civitas_assets.dictionary.compare import faults
from civitas_assets.dictionary.contracts import Contract, parsed
from civitas_assets.dictionary.json_schema import json_schema
from civitas_assets.dictionary.pages import SCHEMA_FILE, index, page
from civitas_assets.errors import DictionaryError

RELEASED = "contracts.json"


@dataclass(frozen=True)
class Release:
    """The contracts as they were released with a version of the package; none yet is version 0.0.0."""

    version: str = "0.0.0"
    models: Mapping[str, Contract] = field(default_factory=dict)


def documents(contracts: Mapping[str, Contract]) -> dict[str, str]:
    """Every file that is made from the contracts, by its path in the dictionary's folder."""
    made = {"README.md": index(contracts)}
    for name, contract in contracts.items():
        made[f"{name}.md"] = page(contract, contracts)
        schema = json.dumps(json_schema(contract), indent=2, ensure_ascii=False)
        made[SCHEMA_FILE.format(name)] = schema + "\n"
    return made


def out_of_date(folder: Path, contracts: Mapping[str, Contract]) -> tuple[str, ...]:
    """Files of the folder that say something else than the contracts, are missing, or are left over."""
    wanted, there = documents(contracts), _present(folder)
    return tuple(sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name)))


def write(folder: Path, contracts: Mapping[str, Contract]) -> tuple[str, ...]:
    """Bring the folder up to the contracts; the files that were changed or removed."""
    changed = out_of_date(folder, contracts)
    wanted = documents(contracts)
    for name in changed:
        file = folder / name
        if name in wanted:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(wanted[name], encoding="utf-8")
        else:
            file.unlink()
    return changed


def last_release(folder: Path) -> Release:
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


def release_faults(before: Release, contracts: Mapping[str, Contract], version: str) -> tuple[str, ...]:
    """What forbids releasing the contracts with this version of the package; none is fine."""
    old, new = parsed(before.version), parsed(version)
    may_remove = new[0] > old[0] or (new[0] == old[0] == 0 and new[1] > old[1])
    return faults(before.models, contracts, may_remove=may_remove)


def release(folder: Path, contracts: Mapping[str, Contract], version: str) -> None:
    """Remember the contracts as released with this version of the package.

    Raises:
        DictionaryError: a model's version does not do justice to its changes since the last release.
    """
    wrong = release_faults(last_release(folder), contracts, version)
    if wrong:
        raise DictionaryError("\n".join(["these contracts cannot be released:", *wrong]))
    content = msgspec.json.encode(Release(version, contracts))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RELEASED).write_bytes(msgspec.json.format(content, indent=1) + b"\n")


def _present(folder: Path) -> dict[str, str]:
    files = [*folder.glob("*.md"), *folder.glob(SCHEMA_FILE.format("*"))]
    return {file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8") for file in files}
