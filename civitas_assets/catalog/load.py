"""Reading the tenants' YAML files into models, with every fault of every file named at once.

Faults carry file, line, field and what is allowed there. They concern their tenant only: it stays as it was last
without faults, or is left out.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from civitas_assets.catalog.basis import (
    DEFAULTS,
    RESERVED_BEGINNING,
    RESERVED_SLUGS,
    SLUG,
    is_key,
    is_reserved,
    suggest_name,
)
from civitas_assets.catalog.checks import Check, check_limits, check_secrets, find_credentials, find_malformed
from civitas_assets.catalog.defaults import Defaults
from civitas_assets.catalog.file_stamps import Stamps, list_file_stamps
from civitas_assets.catalog.frame import Frame
from civitas_assets.catalog.last_good import LastGood
from civitas_assets.catalog.model import Source, Tenant
from civitas_assets.catalog.parsed import ParsedTenants
from civitas_assets.catalog.yaml_document import Place, YamlDocument
from civitas_assets.catalog.yaml_text import read_body
from civitas_assets.errors import CatalogError, Fault, SettingsError

SourceModels = Mapping[str, type[Source]]

_FRAME = Frame()
_UNFORESEEN = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RecursionError,
    MemoryError,
)


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

    def get_tenant(self, slug: str) -> Tenant:
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

    def list_sources(self, connector: str) -> dict[str, dict[str, Source]]:
        """Tenants that use the connector, with their sources of it."""
        return {
            slug: chosen
            for slug, tenant in self.tenants.items()
            if (chosen := {name: s for name, s in tenant.sources.items() if s.connector == connector})
        }


def load_catalog(folder: Path, models: SourceModels, frame: Frame = _FRAME) -> Catalog:
    """Read `<slug>.yaml` for every tenant in the folder, none of which may have faults, with `defaults.yaml`.

    Raises:
        CatalogError: with all faults of all files.
    """
    catalog = read_catalog(folder, models, frame=frame)
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
    frame: Frame = _FRAME,
    keep: bool = False,
    parsed: ParsedTenants | None = None,
) -> Catalog:
    """Read the tenants' files, each by itself: the faults of one are no other's; see `Catalog` for what becomes of it.

    `checks` are held against each tenant, and the operator's `frame`. With `keep`, what is without faults becomes the
    `last_good` state, and is `parsed` for the next process.

    Raises:
        CatalogError: there is no such folder.
    """
    if not folder.is_dir():
        raise CatalogError(
            [Fault(str(folder), 0, "", "no such folder; set CIVITAS_TENANTS_DIR to the tenants' files")]
        )
    stamps = list_file_stamps(folder)
    files = [file for name, *_ in stamps if (file := folder / name).stem != DEFAULTS]
    own = [
        check_secrets([file.stem for file in files], frame),
        check_limits(frame),
        find_credentials,
        find_malformed,
    ]
    defaults = Defaults(folder)
    taken = defaults.body
    reading = _Reading(models, frame, [*own, *checks], defaults, last_good, parsed, keep=keep)
    if parsed is not None:
        parsed.begin([frame, [file.name for file in files], taken])
    tenants, left_out = {}, dict[str, Sequence[Fault]]()
    named = Counter(file.stem for file in files)
    for file in files:
        slug = file.stem
        if only is not None and slug not in only:
            continue
        try:
            if named[slug] > 1:
                raise CatalogError(
                    [Fault(file.name, 0, "", f"is one of {named[slug]} files of {slug}: keep one")]
                )
            tenants[slug] = reading.current(file)
        except CatalogError as error:
            before = reading.last(slug)
            if before is None:
                left_out[slug] = error.faults
            else:
                tenants[slug] = before.with_faults(error.faults)
    if parsed is not None and keep and only is None and defaults.body == taken:
        parsed.finish()
    return Catalog(tenants, left_out, stamps)


@dataclass(frozen=True)
class _Reading:
    """How files are read: the models of sources, and what each tenant is held against."""

    models: SourceModels
    frame: Frame
    checks: Sequence[Check]
    defaults: Defaults
    last_good: LastGood | None
    parsed: ParsedTenants | None
    keep: bool

    def current(self, file: Path) -> Tenant:
        """The tenant by its file, which is parsed if nobody knows what was made of it.

        Raises:
            CatalogError: the file has faults.
        """
        if self.parsed is not None:
            body, last_good = read_body(file), self.last_good if self.keep else None
            known = self.parsed.find(file.name, body)
            noted = last_good is None or last_good.holds(file.stem, body, self.defaults.body)
            if known is not None and noted:
                return known
        tenant, document = self.read(file)
        if self.keep and self.last_good is not None:
            self.last_good.note(file.stem, document.body)
        if self.keep and self.parsed is not None:
            self.parsed.add(file.name, document.own_body, tenant)
        return tenant

    def read(self, file: Path) -> tuple[Tenant, YamlDocument]:
        """The tenant, and the document that it was read from.

        Raises:
            CatalogError: the file has faults.
        """
        try:
            document = self.defaults.open(file)
            tenant = _load_tenant(document, self.models)
            found = [document.make_fault(*fault) for check in self.checks for fault in check(tenant)]
        except _UNFORESEEN as error:
            # A file is a stranger's: what nobody thought of must not stop the others.
            text = f"cannot be read ({type(error).__name__}); leave out what was changed last"
            raise CatalogError([Fault(file.name, 1, "", text)]) from None
        if found:
            raise CatalogError(found)
        sources = {name: source.limit_to(self.frame) for name, source in tenant.sources.items()}
        return tenant.model_copy(update={"sources": sources}), document

    def last(self, slug: str) -> Tenant | None:
        """The tenant as it was last without faults, if that still has none."""
        try:
            return self.read(self.last_good.find_file(slug))[0] if self.last_good is not None else None
        except CatalogError:
            return None


def locate_fault(file: Path, place: Sequence[str | int], message: str) -> Fault:
    """A fault of a file that could be loaded, with the line of its place; 0 where the file is not there any more."""
    if not file.is_file():
        return Fault(file.name, 0, ".".join(map(str, place)), message)
    return Defaults(file.parent).open(file).make_fault(place, message)


def _load_tenant(document: YamlDocument, models: SourceModels) -> Tenant:
    file = document.file
    faults = list(document.faults)
    if not re.fullmatch(SLUG, file.stem):
        faults.append(document.make_fault((), f"the file's name is the tenant's key and must match {SLUG}"))
    if is_reserved(file.stem):
        taken = f"{', '.join(sorted(RESERVED_SLUGS))} and what begins with {RESERVED_BEGINNING}"
        faults.append(
            document.make_fault((), f"the file's name is the tenant's key and must not be one of {taken}")
        )
    sources: dict[str, Source] = {}
    content = dict(document.content)
    given = content.get("sources") or {}
    if not isinstance(given, dict):
        faults.append(document.make_fault(("sources",), "must map source names to their settings"))
        given = {}
    for name, settings in given.items():
        place: Place = ("sources", name)
        if not isinstance(settings, dict):
            faults.append(document.make_fault(place, "must hold the source's settings"))
        elif not isinstance(connector := settings.get("connector"), str) or connector not in models:
            known = ", ".join(sorted(models))
            meant = suggest_name(str(connector), sorted(models)) if connector else ""
            faults.append(document.make_fault((*place, "connector"), f"{meant}must be one of: {known}"))
        else:
            try:
                sources[name] = models[connector].model_validate(_tuples(settings))
            except ValidationError as error:
                faults.extend(document.explain_errors(error, models[connector], place))
            except SettingsError as error:  # the package that brings the connector is not sound
                faults.append(document.make_fault((*place, "connector"), str(error)))
    content["sources"] = sources
    try:
        tenant = Tenant.model_validate(_tuples(content))
    except ValidationError as error:
        faults.extend(document.explain_errors(error, Tenant))
    if faults:
        raise CatalogError(faults)
    placed = {n: each.with_place(n, tenant.bbox, tenant.timezone) for n, each in tenant.sources.items()}
    return tenant.model_copy(update={"sources": placed}).with_key(file.stem)


def _tuples(value: Any) -> Any:
    """YAML lists as tuples, since the models are strict and frozen."""
    if isinstance(value, dict):
        return {key: _tuples(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(inner) for inner in value)
    return value
