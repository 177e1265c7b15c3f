"""A tenant's file as a document: its content with the line of every place, and faults in words for who edits it.

What the content must be is in `load.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from civitas_assets.catalog.basis import PLACED, suggest_name
from civitas_assets.catalog.yaml_text import parse_yaml, read_body
from civitas_assets.errors import Fault
from civitas_assets.redaction import mask_credentials

Place = tuple[str | int, ...]

# What stands in such a place may be the secret itself, and is not repeated.
_NAME_WANTED = "must be the name of an environment variable that holds the secret, such as MUSTERSTADT_TOKEN"


_SECRETIVE = frozenset(
    {"headers", "query", "basic_auth", "password", "username", "certificate", "token", "notify"}
)


class YamlDocument:
    """One YAML file: its content, and the line of every place in it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.content: dict[str, Any] = {}
        self.faults: list[Fault] = []
        self._lines: dict[Place, int] = {(): 1}
        self._written: dict[Place, str] = {}
        self._taken: dict[Place, tuple[YamlDocument, Place]] = {}
        self.own_body = self.body = read_body(file)
        node, content = parse_yaml(file.name, self.body)
        if node is not None:
            self._walk(node, ())
        if isinstance(content, dict):
            self.content = content
        else:
            self.faults.append(self.make_fault((), "must hold a tenant's settings"))

    def _walk(self, node: yaml.Node, place: Place) -> None:
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                inner = (*place, key.value)
                self._lines[inner] = key.start_mark.line + 1
                if key.value in seen:
                    self.faults.append(self.make_fault(inner, "is written twice; keep one"))
                seen.add(key.value)
                self._walk(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self._lines[(*place, index)] = value.start_mark.line + 1
                self._walk(value, (*place, index))
        elif isinstance(node, yaml.ScalarNode):
            self._written[place] = node.value

    def make_fault(self, place: Sequence[str | int], message: str) -> Fault:
        """A fault at that place, with its line, or that of what it is in."""
        known = tuple(place)
        while known not in self._lines:
            if known in self._taken:
                other, origin = self._taken[known]
                found = other.make_fault((*origin, *place[len(known) :]), message)
                return Fault(found.file, found.line, found.field, f"{message} (for {self.file.stem})")
            known = known[:-1]
        return Fault(self.file.name, self._lines[known], ".".join(map(str, place)), message)

    def take(self, place: Place, other: YamlDocument, origin: Place) -> None:
        """Let faults below a place that is not in this file be those of a place in the other, from which it is."""
        self._taken[place] = (other, origin)

    def explain_errors(
        self, error: ValidationError, model: type[BaseModel], below: Place = ()
    ) -> list[Fault]:
        """Pydantic's errors in the words of somebody who edits YAML, one for each place."""
        found: dict[Place, Fault] = {}
        for detail in error.errors():
            if detail["loc"][-1:] == ("str",) and isinstance(detail["input"], dict):
                continue  # text or a secret was possible, and this is meant as a secret
            place = self._find_written((*below, *detail["loc"]))[len(below) :]
            if detail["type"].startswith("union_tag"):
                place = (*place, detail["ctx"]["discriminator"].strip("'"))
            written = self._written.get((*below, *place))
            if place[-1:] == ("secret",) and detail["type"] != "missing":
                sentence = _NAME_WANTED
            elif _SECRETIVE.intersection(map(str, place)):
                sentence = _without_given(detail, place, model)
            else:
                sentence = mask_credentials(_sentence(detail, place, model, written))
            found.setdefault(place, self.make_fault((*below, *place), sentence))
        return list(found.values())

    def _find_written(self, place: Place) -> Place:
        """The place as the file has it: pydantic names besides which of several models or types it has tried."""
        found = list[str | int]()
        here: Any = self.content
        for number, part in enumerate(place):
            is_last = number == len(place) - 1
            if _is_internal(part) or (isinstance(here, dict) and part not in here and not is_last):
                continue
            found.append(part)
            is_there = isinstance(here, dict) and part in here
            is_item = isinstance(here, list) and isinstance(part, int) and part < len(here)
            here = here[part] if is_there or is_item else None
        return tuple(found)


def _without_given(detail: ErrorDetails, place: Place, model: type[BaseModel]) -> str:
    """What is said of a place where the given may be a secret, or hold one."""
    kind = detail["type"]
    if kind in {"missing", "extra_forbidden", "value_error", PLACED}:
        return _sentence(detail, place, model, None)
    return (
        "is not as it has to be: text in quotes, or {secret: NAME} with the name of an environment variable"
    )


def _is_internal(part: str | int) -> bool:
    return isinstance(part, str) and (part in {"str", "SecretRef", "[key]"} or part.startswith("function-"))


def _sentence(detail: ErrorDetails, place: Place, model: type[BaseModel], written: str | None) -> str:
    kind, given = detail["type"], detail["input"]
    if kind in {"missing", "union_tag_not_found"}:
        return "is missing"
    if kind == "extra_forbidden":
        allowed = _fields_at(model, detail["loc"][:-1])
        return (
            f"is not known here; {suggest_name(str(place[-1]), allowed)}allowed: {', '.join(sorted(allowed))}"
        )
    if kind == "string_type" and written is not None:
        # As written, because YAML has already made another number of one that starts with zero.
        return f"must be text: write it in quotes, as in '{written}'"
    if kind in {"literal_error", "union_tag_invalid"}:
        said = detail["ctx"]
        given, expected = said.get("tag", given), said.get("expected_tags") or said["expected"]
        meant = suggest_name(str(given), re.findall("'([^']+)'", expected))
        return f"is {given!r}{f'; {meant}' if meant else ', but '}must be one of: {expected}"
    if kind in {PLACED, "value_error"}:
        return str(detail["msg"] if kind == PLACED else detail["ctx"]["error"])
    return f"{detail['msg'][0].lower()}{detail['msg'][1:]} (given: {given!r})"


def _fields_at(model: type[BaseModel], place: Place) -> list[str]:
    """Names of the fields of the model that sits at the place below the given one."""
    members = [model]
    for part in place:
        field = model.model_fields.get(str(part))
        if field is None:  # a key of a mapping, or which of several models was found last
            model = next((member for member in members if _is_called(member, part)), model)
            continue
        members = _list_nested_models(field.annotation)
        if not members:
            return []
        model = members[0]
    return list(model.model_fields)


def _is_called(model: type[BaseModel], tag: str | int) -> bool:
    """Whether a field of the model can only say the tag."""
    return any(get_args(field.annotation) == (tag,) for field in model.model_fields.values())


def _list_nested_models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _list_nested_models(part)]
