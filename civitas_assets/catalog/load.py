"""Reading the tenants' YAML files into models, with every fault of every file named at once.

Faults carry file, line, field and what is allowed there. They concern their tenant only: it stays as it was last
without faults, or is left out.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
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
    is_key,
    is_reserved,
    perhaps,
)
from civitas_assets.catalog.last_good import LastGood
from civitas_assets.catalog.model import Destination, Source, Tenant
from civitas_assets.catalog.yaml_text import parse, read_body
from civitas_assets.errors import CatalogError, Fault
from civitas_assets.settings import Settings

SourceModels = Mapping[str, type[Source]]
Path_ = tuple[str | int, ...]
Check = Callable[
    [Tenant], Iterable[tuple[Path_, str]]
]  # faults of a tenant: the place in its file, and a sentence
Stamps = tuple[tuple[str, int, int], ...]

_UNFORESEEN = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RecursionError,
    MemoryError,
)
# What stands in such a place may be the secret itself, and is not repeated.
_NAME_WANTED = "must be the name of an environment variable that holds the secret, such as MUSTERSTADT_TOKEN"


@dataclass(frozen=True)
class Catalog:
    """All tenants of this deployment, by slug.

    A tenant whose file has faults is there as it was last without, and knows them; `left_out` are those of whom no such
    state is known, with the faults. `stamps` says which files were read, and of what age they were.
    """

    tenants: Mapping[str, Tenant]
    left_out: Mapping[str, Sequence[Fault]] = field(default_factory=dict)
    stamps: Stamps = ()

    @property
    def faulty(self) -> Mapping[str, Sequence[Fault]]:
        """The faults of every tenant's file that has any."""
        return {slug: tenant.faults for slug, tenant in self.tenants.items() if tenant.faults} | {
            **self.left_out
        }

    @property
    def keys(self) -> list[str]:
        """The keys of all tenants, also of those that are left out; a file whose name is no key is nobody's."""
        return sorted({*self.tenants, *filter(is_key, self.left_out)})

    def tenant(self, slug: str) -> Tenant:
        """The tenant of that slug.

        Raises:
            CatalogError: its file has faults and it has no other state, or there is none; the message lists those that
                exist.
        """
        if slug in self.left_out:
            raise CatalogError(self.left_out[slug])
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
    """Read `<slug>.yaml` for every tenant in the folder, none of which may have faults.

    Raises:
        CatalogError: with all faults of all files.
    """
    catalog = read_catalog(folder, models)
    if catalog.faulty:
        raise CatalogError([fault for faults in catalog.faulty.values() for fault in faults])
    return catalog


def read_catalog(
    folder: Path,
    models: SourceModels,
    last_good: LastGood | None = None,
    checks: Sequence[Check] = (),
    only: Container[str] | None = None,
    *,
    keep: bool = False,
) -> Catalog:
    """Read the tenants' files, each by itself: the faults of one are no other's; see `Catalog` for what becomes of it.

    `checks` are held against each tenant, too. With `keep`, what is without faults becomes the `last_good` state.

    Raises:
        CatalogError: there is no such folder.
    """
    if not folder.is_dir():
        raise CatalogError(
            [Fault(str(folder), 0, "", "no such folder; set CIVITAS_TENANTS_DIR to the tenants' files")]
        )
    stamps = stamps_of(folder)
    files = [folder / name for name, *_ in stamps]
    reading = _Reading(models, [_secrets_are_own([file.stem for file in files]), *checks])
    tenants, left_out = {}, dict[str, Sequence[Fault]]()
    for file in files:
        slug = file.stem
        if only is not None and slug not in only:
            continue
        try:
            tenants[slug], body = reading.tenant(file)
        except CatalogError as error:
            before = reading.last(last_good, slug)
            if before is None:
                left_out[slug] = error.faults
            else:
                tenants[slug] = before.with_faults(error.faults)
        else:
            if keep and last_good is not None:
                last_good.note(slug, body)
    return Catalog(tenants, left_out, stamps)


def stamps_of(folder: Path) -> Stamps:
    """Name, time of change in nanoseconds and size of every tenant's file: what tells whether any has changed."""
    found = []
    for file in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        with suppress(FileNotFoundError):  # gone meanwhile, or a link that leads nowhere
            stat = file.stat()
            found.append((file.name, stat.st_mtime_ns, stat.st_size))
    return tuple(found)


@dataclass(frozen=True)
class _Reading:
    """How files are read: the models of sources, and what each tenant is held against."""

    models: SourceModels
    checks: Sequence[Check]

    def tenant(self, file: Path) -> tuple[Tenant, bytes]:
        """The tenant, and the body that it was read from.

        Raises:
            CatalogError: the file has faults.
        """
        try:
            document = _Document(file)
            tenant = _load_tenant(document, self.models)
            found = [document.fault(*fault) for check in self.checks for fault in check(tenant)]
        except _UNFORESEEN as error:
            # A file is a stranger's: what nobody thought of must not stop the others.
            text = f"cannot be read ({type(error).__name__}); leave out what was changed last"
            raise CatalogError([Fault(file.name, 1, "", text)]) from None
        if found:
            raise CatalogError(found)
        return tenant, document.body

    def last(self, last_good: LastGood | None, slug: str) -> Tenant | None:
        """The tenant as it was last without faults, if that still has none."""
        try:
            return self.tenant(last_good.file(slug))[0] if last_good is not None else None
        except CatalogError:
            return None


def _secrets_are_own(slugs: Sequence[str]) -> Check:
    def check(tenant: Tenant) -> Iterator[tuple[Path_, str]]:
        for name in sorted(_secrets(tenant.model_dump())):
            if (owner := _owner(name, slugs)) not in {None, tenant.slug}:
                yield ("sources",), f"names {name}, a secret of {owner}: a tenant has its own"

    return check


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


def _owner(secret: str, tenants: Sequence[str]) -> str | None:
    """Whose secret it is by its name: the tenant with the longest key that it begins with."""
    return max((slug for slug in tenants if secret.startswith(f"{slug.upper()}_")), key=len, default=None)


def declared_destination(settings: Settings, slug: str) -> Destination:
    """Where the tenant's file says that it is published, for reading alone: the rest of the file is not checked."""
    if re.fullmatch(SLUG, slug):
        for file in (tenant_file(settings.tenants_dir, slug), LastGood(settings.last_good).file(slug)):
            with suppress(CatalogError):
                written = _Document(file).content.get("destination")
                return "postgres" if written == "postgres" else "duckdb"
    return "duckdb"


def _load_tenant(document: _Document, models: SourceModels) -> Tenant:
    file = document.file
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
        self.body = read_body(file)
        node, content = parse(file.name, self.body)
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
