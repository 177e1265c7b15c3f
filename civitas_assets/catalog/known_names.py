"""Whether the names of properties and units in tenants' files are ones that the models know, wherever they are written.

A name that nobody knows, or a unit in which the property cannot be, is no fault of the file's form; it would send its
values to quarantine night after night.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from civitas_assets.catalog.load import Catalog, locate_fault
from civitas_assets.catalog.model import Source, Tenant
from civitas_assets.catalog.spelling import normalise_spelling
from civitas_assets.catalog.template import list_fillings
from civitas_assets.catalog.vocabulary import Kind, Vocabulary
from civitas_assets.catalog.yaml_text import locate_file
from civitas_assets.errors import CatalogError

Place = tuple[str | int, ...]

_SECTIONS: Mapping[str, Kind] = {"properties": "property", "units": "unit"}
# What such a setting is called, in the constants of a source and in what describes one of its values.
_PAIR = frozenset({"observed_property", "unit"})
_SETTINGS: Mapping[str, Kind] = {"observed_property": "property", "unit": "unit", "quality_native": "quality"}
# Whose figures stay in the unit of their publisher, whatever it is.
_FREE_UNITS = frozenset({"statistic"})
_LISTED: Mapping[Kind, str] = {
    "property": "observed_properties",
    "unit": "units",
    "quality": "quality_spellings",
}


def check_names(catalog: Catalog, vocabulary: Vocabulary, folder: Path) -> None:
    """Hold every name of a property or unit against what is known.

    Raises:
        CatalogError: with all that are not, where they are, and what may be meant.
    """
    faults = [
        locate_fault(locate_file(folder, slug), place, message)
        for slug, tenant in catalog.tenants.items()
        for place, message in find_unknown_names(tenant, vocabulary)
    ]
    if faults:
        raise CatalogError(faults)


def find_unknown_names(tenant: Tenant, vocabulary: Vocabulary) -> Iterator[tuple[Place, str]]:
    """What of a tenant's names nobody knows: the place in its file, and what may be meant."""
    for section, kind in _SECTIONS.items():
        for native, code in getattr(tenant, section).items():
            if code not in vocabulary.list_codes(kind):
                yield (
                    (section, native),
                    f"is {code!r}, which is no code of a {kind}; {_meant(code, kind, vocabulary)}",
                )
    for name, source in tenant.sources.items():
        if source.crs != "EPSG:4326" and not _is_system(source.crs):
            yield ("sources", name, "crs"), f"is {source.crs!r}, which is no code that the EPSG lists"
    own = {_SECTIONS[name]: {*map(normalise_spelling, getattr(tenant, name))} for name in _SECTIONS}
    for name, source in tenant.sources.items():
        for place, kind, native in _named(source):
            if (
                normalise_spelling(native) not in own.get(kind, ())
                and vocabulary.find_code(native, kind) is None
            ):
                message = f"is {native!r}, which no {kind} is called; {_meant(native, kind, vocabulary)}"
                yield ("sources", name, *place), message
        for place, native, unit in _with_units(source):
            code = _code(native, "property", tenant.properties, vocabulary)
            measured_in = _code(unit, "unit", tenant.units, vocabulary)
            if code in vocabulary.list_codes("property") and measured_in in vocabulary.list_codes("unit"):
                allowed = vocabulary.list_units(str(code))
                if measured_in not in allowed:
                    message = f"is {unit!r}, in which no {code} can be; allowed: {', '.join(allowed)}"
                    yield ("sources", name, *place), message


def _code(native: str, kind: Kind, own: Mapping[str, str], vocabulary: Vocabulary) -> str | None:
    """What a spelling stands for; what the tenant says itself goes before."""
    spelled = {normalise_spelling(text): code for text, code in own.items()}
    return spelled.get(normalise_spelling(native)) or vocabulary.find_code(native, kind)


def _with_units(source: Source) -> Iterator[tuple[Place, str, str]]:
    """Where a source says the unit of a property, with the names of both."""
    for native, unit in source.units.items():
        yield ("units", native), native, unit
    if _FREE_UNITS.isdisjoint(source.own_record_types()) and source.constants.keys() >= _PAIR:
        # Both may be filled from the same list.
        for both in list_fillings("\0".join(source.constants[name] for name in sorted(_PAIR)), source.each):
            native, unit = both.split("\0")
            yield ("constants", "unit"), native, unit
    for field in type(source).model_fields:
        for place, described in _described(getattr(source, field), (field,)):
            pair = [getattr(described, name, None) for name in sorted(_PAIR)]
            if all(isinstance(text, str) for text in pair):
                yield (*place, "unit"), str(pair[0]), str(pair[1])


def _is_system(crs: str) -> bool:
    from pyproj import CRS  # noqa: PLC0415 - only where a source names one
    from pyproj.exceptions import CRSError  # noqa: PLC0415 - likewise

    try:
        CRS.from_user_input(crs)
    except CRSError:
        return False
    return True


def _meant(native: str, kind: Kind, vocabulary: Vocabulary) -> str:
    like = vocabulary.suggest_codes(native, kind)
    if like:
        return f"perhaps {' or '.join(like)}"
    return f"those that are known are in dbt_project/seeds/{_LISTED[kind]}.csv"


def _named(source: Source) -> Iterator[tuple[Place, Kind, str]]:
    """What a source names itself, with its place; not what its data will bring."""
    for native, unit in source.units.items():
        yield ("units", native), "unit", unit
    for setting, kind in _SETTINGS.items():
        free = kind == "unit" and not _FREE_UNITS.isdisjoint(source.own_record_types())
        if setting in source.constants and not free:
            for text in list_fillings(source.constants[setting], source.each):
                yield ("constants", setting), kind, text
    for field in type(source).model_fields:
        for place, described in _described(getattr(source, field), (field,)):
            for name in _SETTINGS.keys() & type(described).model_fields.keys():
                if isinstance(native := getattr(described, name), str):
                    yield (*place, name), _SETTINGS[name], native


def _described(value: Any, place: Place) -> Iterator[tuple[Place, BaseModel]]:
    """What describes single values and names a property or unit, such as the profiles of devices."""
    if isinstance(value, BaseModel):
        if _SETTINGS.keys() & type(value).model_fields.keys():
            yield place, value
        for name in type(value).model_fields:
            yield from _described(getattr(value, name), (*place, name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _described(inner, (*place, key))
    elif isinstance(value, tuple):
        for number, inner in enumerate(value):
            yield from _described(inner, (*place, number))
