"""Writing what a publisher's spelling means into a tenant's file, in which all else stays as people wrote it.

What the spellings mean to the models is not known here.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Literal

import yaml

from civitas_assets.errors import CatalogError, Fault

Section = Literal["properties", "units"]


def insert_mapping(text: str, section: Section, native: str, code: str) -> str:
    """The file's text with one more line in the section, which is added where there is none.

    A spelling that is there already gets the new code.

    Raises:
        ValueError: the section is not written line by line.
    """
    line = f"  {_quoted(native)}: {_quoted(code)}"
    lines = text.rstrip("\n").split("\n")
    start = next((n for n, found in enumerate(lines) if found.startswith(f"{section}:")), None)
    if start is None:
        return "\n".join([*lines, f"{section}:", line]) + "\n"
    if not re.fullmatch(rf"{section}:\s*(#.*)?", lines[start]):
        raise ValueError(f"write {section} line by line first, one spelling a line, and run this again")
    end = start + 1
    while end < len(lines) and (not lines[end].strip() or lines[end].startswith((" ", "#"))):
        found = yaml.safe_load(lines[end]) if lines[end].startswith("  ") else None
        if isinstance(found, dict) and native in found:
            return "\n".join([*lines[:end], line, *lines[end + 1 :]]) + "\n"
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    return "\n".join([*lines[:end], line, *lines[end:]]) + "\n"


def write_mapping(file: Path, section: Section, native: str, code: str) -> None:
    """Put the mapping into the file, in one step.

    Raises:
        CatalogError: the section is written in a way that a line cannot be added to.
    """
    try:
        text = insert_mapping(file.read_text(encoding="utf-8"), section, native, code)
    except ValueError as error:
        raise CatalogError([Fault(str(file), 0, section, str(error))]) from None
    new = file.with_name(f".{file.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def _quoted(text: str) -> str:
    """A text as YAML takes it, whatever is in it; JSON is YAML."""
    return (
        text
        if re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+", text)
        else json.dumps(text, ensure_ascii=False)
    )
