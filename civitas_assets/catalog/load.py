"""Reading the tenants' YAML files into models, with every fault of every file named at once.

Faults carry file, line, field and what is allowed there; a half-valid catalogue is never returned.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from civitas_assets.catalog.basis import (
    PLACED,
    RESERVED_BEGINNING,
    RESERVED_SLUGS,
    SLUG,
    is_reserved,
    perhaps,
)
from civitas_assets.catalog.model import Destination, Source, Tenant
from civitas_assets.catalog.outline import SAFE_LOADER
from civitas_assets.errors import CatalogError, Fault

SourceModels = Mapping[str, type[Source]]
Path_ = tuple[str | int, ...]

# What stands in such a place may be the secret itself, and is not repeated.
_NAME_WANTED = "must be the name of an environment variable that holds the secret, such as MUSTERSTADT_TOKEN"


@dataclass(frozen=True)
class Catalog:
    """All tenants of this deployment, by slug."""

    tenants: Mapping[str, Tenant]

    def tenant(self, slug: str) -> Tenant:
        """The tenant of that slug.

        Raises:
            CatalogError: there is none; the message lists those that exist.
        """
        if slug not in self.tenants:
            close = difflib.get_close_matches(slug, self.tenants, n=1)
            hint = (
                f"did you mean {close[0]}?"
                if close
                else f"tenants: {', '.join(sorted(self.tenants)) or 'none'}"
            )
            raise CatalogError([Fault("tenants", 0, slug, f"no such tenant; {hint}")])
        return self.tenants[slug]

    @property
    def active(self) -> list[str]:
        """The tenants for which something runs, in alphabetical order."""
        return sorted(slug for slug, tenant in self.tenants.items() if not tenant.archived)

    @property
    def connectors(self) -> list[str]:
        """Names of the connectors that any tenant uses."""
        return sorted({s.connector for tenant in self.tenants.values() for s in tenant.sources.values()})

    def sources(self, connector: str) -> dict[str, dict[str, Source]]:
        """Tenants that use the connector, with their sources of it."""
        return {
            slug: chosen
            for slug, tenant in self.tenants.items()
            if (chosen := {name: s for name, s in tenant.sources.items() if s.connector == connector})
        }


def load_catalog(folder: Path, models: SourceModels) -> Catalog:
    """Read `<slug>.yaml` for every tenant in the folder.

    Raises:
        CatalogError: with all faults of all files.
    """
    if not folder.is_dir():
        raise CatalogError(
            [Fault(str(folder), 0, "", "no such folder; set CIVITAS_TENANTS_DIR to the tenants' files")]
        )
    tenants, faults = {}, list[Fault]()
    for file in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            tenants[file.stem] = _load_tenant(file, models)
        except CatalogError as error:
            faults.extend(error.faults)
    faults += [
        Fault(f"{slug}.yaml", 1, "sources", f"names {name}, a secret of {owner}: a tenant has its own")
        for slug, tenant in tenants.items()
        for name in sorted(_secrets(tenant.model_dump()))
        if (owner := _owner(name, tenants)) not in {None, slug}
    ]
    if faults:
        raise CatalogError(faults)
    return Catalog(tenants)


def fault_in(file: Path, place: Sequence[str | int], message: str) -> Fault:
    """A fault of a file that could be loaded, with the line of its place; 0 where the file is not there any more."""
    if not file.is_file():
        return Fault(file.name, 0, ".".join(map(str, place)), message)
    return _Document(file).fault(place, message)


def tenant_file(folder: Path, slug: str) -> Path:
    """The file of a tenant that was loaded from the folder."""
    return next((file for file in sorted(folder.glob(f"{slug}.y*ml"))), folder / f"{slug}.yaml")


def _secrets(dumped: Any) -> set[str]:
    """The names of all secrets in a tenant's settings."""
    if isinstance(dumped, dict):
        own = {dumped["secret"]} if dumped.keys() == {"secret", "prefix"} else set[str]()
        return own.union(*map(_secrets, dumped.values()))
    return set[str]().union(*map(_secrets, dumped)) if isinstance(dumped, (list, tuple)) else set()


def _owner(secret: str, tenants: Mapping[str, Tenant]) -> str | None:
    """Whose secret it is by its name: the tenant with the longest key that it begins with."""
    return max((slug for slug in tenants if secret.startswith(f"{slug.upper()}_")), key=len, default=None)


def declared_destination(folder: Path, slug: str) -> Destination:
    """Where the tenant's file says that it is published, for reading alone: the rest of the file is not checked."""
    for file in (folder / f"{slug}.yaml", folder / f"{slug}.yml"):
        if re.fullmatch(SLUG, slug) and file.is_file():
            written = _Document(file).content.get("destination")
            return "postgres" if written == "postgres" else "duckdb"
    return "duckdb"


def _load_tenant(file: Path, models: SourceModels) -> Tenant:
    document = _Document(file)
    faults = list(document.faults)
    if not re.fullmatch(SLUG, file.stem):
        faults.append(document.fault((), f"the file's name is the tenant's key and must match {SLUG}"))
    if is_reserved(file.stem):
        taken = f"{', '.join(sorted(RESERVED_SLUGS))} and what begins with {RESERVED_BEGINNING}"
        faults.append(
            document.fault((), f"the file's name is the tenant's key and must not be one of {taken}")
        )
    sources: dict[str, Source] = {}
    content = dict(document.content)
    given = content.get("sources") or {}
    if not isinstance(given, dict):
        faults.append(document.fault(("sources",), "must map source names to their settings"))
        given = {}
    for name, settings in given.items():
        place: Path_ = ("sources", name)
        if not isinstance(settings, dict):
            faults.append(document.fault(place, "must hold the source's settings"))
        elif not isinstance(connector := settings.get("connector"), str) or connector not in models:
            known = ", ".join(sorted(models))
            meant = perhaps(str(connector), sorted(models)) if connector else ""
            faults.append(document.fault((*place, "connector"), f"{meant}must be one of: {known}"))
        else:
            try:
                sources[name] = models[connector].model_validate(_tuples(settings))
            except ValidationError as error:
                faults.extend(document.explained(error, models[connector], place))
    content["sources"] = sources
    try:
        tenant = Tenant.model_validate(_tuples(content))
    except ValidationError as error:
        faults.extend(document.explained(error, Tenant))
    if faults:
        raise CatalogError(faults)
    for name, source in tenant.sources.items():
        source.placed(name, tenant.bbox, tenant.timezone)
    return tenant.keyed(file.stem)


def _tuples(value: Any) -> Any:
    """YAML lists as tuples, since the models are strict and frozen."""
    if isinstance(value, dict):
        return {key: _tuples(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(inner) for inner in value)
    return value


class _Document:
    """One YAML file: its content, and the line of every place in it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.content: dict[str, Any] = {}
        self.faults: list[Fault] = []
        self._lines: dict[Path_, int] = {(): 1}
        self._written: dict[Path_, str] = {}
        try:
            text = file.read_text(encoding="utf-8")
            node = yaml.compose(text, Loader=SAFE_LOADER)
            content = yaml.load(text, Loader=SAFE_LOADER)  # noqa: S506 - a safe loader
        except UnicodeDecodeError:
            raise CatalogError([Fault(file.name, 1, "", "is not UTF-8 text")]) from None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise CatalogError([Fault(file.name, line, "", f"is not valid YAML: {error.problem}")]) from None
        except yaml.YAMLError as error:
            raise CatalogError([Fault(file.name, 1, "", f"is not valid YAML: {error}")]) from None
        if node is not None:
            self._walk(node, ())
        if isinstance(content, dict):
            self.content = content
        else:
            self.faults.append(self.fault((), "must hold a tenant's settings"))

    def _walk(self, node: yaml.Node, place: Path_) -> None:
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                inner = (*place, key.value)
                self._lines[inner] = key.start_mark.line + 1
                if key.value in seen:
                    self.faults.append(self.fault(inner, "is written twice; keep one"))
                seen.add(key.value)
                self._walk(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self._lines[(*place, index)] = value.start_mark.line + 1
                self._walk(value, (*place, index))
        elif isinstance(node, yaml.ScalarNode):
            self._written[place] = node.value

    def fault(self, place: Sequence[str | int], message: str) -> Fault:
        known = tuple(place)
        while known not in self._lines:
            known = known[:-1]
        return Fault(self.file.name, self._lines[known], ".".join(map(str, place)), message)

    def explained(self, error: ValidationError, model: type[BaseModel], below: Path_ = ()) -> list[Fault]:
        """Pydantic's errors in the words of somebody who edits YAML, one for each place."""
        found: dict[Path_, Fault] = {}
        for detail in error.errors():
            if detail["loc"][-1:] == ("str",) and isinstance(detail["input"], dict):
                continue  # text or a secret was possible, and this is meant as a secret
            place = tuple(part for part in detail["loc"] if not _is_internal(part))
            written = self._written.get((*below, *place))
            is_secret = place[-1:] == ("secret",) and detail["type"] != "missing"
            sentence = _NAME_WANTED if is_secret else _sentence(detail, place, model, written)
            found.setdefault(place, self.fault((*below, *place), sentence))
        return list(found.values())


def _is_internal(part: str | int) -> bool:
    return isinstance(part, str) and (part in {"str", "SecretRef", "[key]"} or part.startswith("function-"))


def _sentence(detail: ErrorDetails, place: Path_, model: type[BaseModel], written: str | None) -> str:
    kind, given = detail["type"], detail["input"]
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        allowed = _fields_at(model, place[:-1])
        return f"is not known here; {perhaps(str(place[-1]), allowed)}allowed: {', '.join(sorted(allowed))}"
    if kind == "string_type" and written is not None:
        # As written, because YAML has already made another number of one that starts with zero.
        return f"must be text: write it in quotes, as in '{written}'"
    if kind == "literal_error":
        expected = detail["ctx"]["expected"]
        meant = perhaps(str(given), re.findall("'([^']+)'", expected))
        return f"is {given!r}{f'; {meant}' if meant else ', but '}must be one of: {expected}"
    if kind in {PLACED, "value_error"}:
        return str(detail["msg"] if kind == PLACED else detail["ctx"]["error"])
    return f"{detail['msg'][0].lower()}{detail['msg'][1:]} (given: {given!r})"


def _fields_at(model: type[BaseModel], place: Path_) -> list[str]:
    """Names of the fields of the model that sits at the place below the given one."""
    for part in place:
        field = model.model_fields.get(str(part))
        if field is None:  # a key of a mapping, whose values are what was found last
            continue
        nested = _nested_model(field.annotation)
        if nested is None:
            return []
        model = nested
    return list(model.model_fields)


def _nested_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_nested_model, getattr(annotation, "__args__", ()))), None)
