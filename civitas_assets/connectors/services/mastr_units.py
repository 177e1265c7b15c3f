"""Units of the Marktstammdatenregister: what of an answer may be kept, and how its members become columns.

Names of members are those of the list that the register's own overview shows; how that is asked for is in `mastr.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from civitas_assets.connectors.mapping.service_rows import UNREADABLE, decode_answer
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow

_REGISTER = "the Marktstammdatenregister"
_ORGANISATION = 517
# What the register calls persons, and forms of business that have the names of persons in their own.
_PERSONAL = re.compile(
    r"nat(ü|ue)rliche person|\bgbr|gesellschaft b(ü|ue)rgerlichen rechts|\bbgb-ges|\be\.? ?k(fm|fr)?\b|einzelunternehm|"
    r"\binh(\.|aber)|\behe(leute|paar)\b|\bfam(ilie|\.)|\berben\b|erbengemeinschaft|eigent(ü|ue)mergemeinschaft|\bweg\b",
    re.IGNORECASE,
)
_NUMBER_BEHIND = re.compile(r"\s*\([A-Z]{3}\d{9,15}\)\s*$")
_DATE = re.compile(r"/Date\((-?\d{1,15})\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_DAY = datetime(1, 1, 2, tzinfo=UTC)  # what is not later is the zero of the register's own clock
_CHECKED, _UNCHECKED = 2954, 2955

_CARRIERS = {
    2403: "geothermal",
    2404: "solar_thermal",
    2405: "sewage_sludge",
    2406: "mine_gas",
    2407: "hard_coal",
    2408: "lignite",
    2409: "mineral_oil",
    2410: "natural_gas",
    2411: "other_gas",
    2412: "waste",
    2413: "heat",
    2493: "biomass",
    2494: "nuclear",
    2495: "solar",
    2496: "storage",
    2497: "wind",
    2498: "hydro",
    2957: "pipe_pressure",
    2958: "pipe_pressure",
}
_STATES = {31: "planned", 35: "in_operation", 37: "suspended", 38: "decommissioned"}
_TEXTS = {
    "energy_carrier_native": "EnergietraegerName",
    "technology": "TechnologieStromerzeugung",
    "siting": "LageEinheitBezeichnung",
    "status_native": "BetriebsStatusName",
    "feed_in": "VollTeilEinspeisungBezeichnung",
    "municipality_id": "Gemeindeschluessel",
    "postcode": "Plz",
    "city": "Ort",
}
_NUMBERS = {
    "gross_power_kw": "Bruttoleistung",
    "net_power_kw": "Nettonennleistung",
    "storage_kwh": "NutzbareSpeicherkapazitaet",
    "modules": "AnzahlSolarModule",
}
_DAYS = {
    "registered_on": "EinheitRegistrierungsdatum",
    "planned_on": "GeplantesInbetriebsnahmeDatum",
    "commissioned_on": "InbetriebnahmeDatum",
    "decommissioned_on": "EndgueltigeStilllegungDatum",
}
# Of persons these are personal data; that the register publishes where larger units are, does not make them less so.
_NAMING = {"name": "EinheitName", "street": "Strasse", "house_number": "Hausnummer"}
_PLACE = {"lon": "Laengengrad", "lat": "Breitengrad"}
_ID, _KIND, _ANONYMOUS, _OPERATOR = (
    "MaStRNummer",
    "AnlagenbetreiberPersonenArt",
    "IsAnonymisiert",
    "AnlagenbetreiberName",
)
_MASKED, _CARRIER, _STATUS, _CHECK, _CHANGED = (
    "AnlagenbetreiberMaskedName",
    "EnergietraegerId",
    "BetriebsStatusId",
    "IsNBPruefungAbgeschlossen",
    "DatumLetzteAktualisierung",
)
# All that lands; of persons without what names them. What else the register says of a unit is not asked for.
_KEPT = (
    *(_ID, _KIND, _ANONYMOUS, _OPERATOR, _CARRIER, _STATUS, _CHECK, _CHANGED),
    *_TEXTS.values(),
    *_NUMBERS.values(),
    *_DAYS.values(),
    *_NAMING.values(),
    *_PLACE.values(),
)
COLUMNS = (
    *("unit_id", "operator", "operator_type", "energy_carrier", "status", "is_checked", "changed_at"),
    *_NAMING,
    *_TEXTS,
    *_NUMBERS,
    *_DAYS,
    *_PLACE,
)

Unit = dict[str, Any]


class UnitPage(msgspec.Struct):
    """One page of the list, and how many units there are on all of them."""

    Data: list[msgspec.Raw] | None
    Total: int | None = None
    Errors: msgspec.Raw = msgspec.Raw(b"null")  # Raw | None would take null alone (msgspec 0.22)


def decode_page(body: bytes) -> UnitPage:
    """The page.

    Raises:
        ReadError: it is none of the register's, which may also say with status 200 that it refuses to answer.
    """
    page: UnitPage = decode_answer(body, UnitPage, _REGISTER)
    said = bytes(page.Errors)
    if page.Data is None or said not in (b"null", b'""', b"[]", b"{}"):
        raise ReadError(f"the register refuses to answer: {said[:200].decode(errors='replace')}")
    if page.Total is None:
        raise ReadError(
            "does not say how many units there are (Total), so that nobody knows whether all have come"
        )
    return page


def list_units(page: UnitPage, key: str) -> tuple[list[Unit], list[BrokenRow]]:
    """The units of the page, and what of it is none, each for itself.

    Raises:
        ReadError: one is of another municipality: of a filter that the register does not know, it takes no notice.
    """
    found, broken = list[Unit](), list[BrokenRow]()
    for row, element in enumerate(page.Data or (), 1):
        try:
            unit = msgspec.json.decode(element, type=dict[str, Any])
        except UNREADABLE as error:
            broken.append(
                BrokenRow(row, "not_a_unit", str(error), bytes(element)[:80].decode(errors="replace"))
            )
            continue
        place = unit.get("Gemeindeschluessel")
        if key and place is not None and place != key:
            raise ReadError(
                f"has a unit of {place}, though units of {key} were asked for: the register has taken no notice of the "
                "filter; tell the maintainers"
            )
        if not isinstance(unit.get(_ID), str) or not unit[_ID]:
            broken.append(BrokenRow(row, "not_a_unit", f"has no {_ID}", ", ".join(sorted(unit))[:80]))
            continue
        found.append(unit)
    return found, broken


def redact_units(body: bytes) -> bytes:
    """The answer with nothing but what is read, and of units that a person runs nothing that names the person.

    Raises:
        ReadError: it is none of the register's.
    """
    page = decode_page(body)
    return msgspec.json.encode(
        {"Total": page.Total, "Errors": None, "Data": [_redact(element) for element in page.Data or ()]}
    )


def _redact(element: msgspec.Raw) -> Any:
    try:
        unit = msgspec.json.decode(element, type=dict[str, Any])
    except UNREADABLE:
        return None  # nobody can say whom it names
    hidden = {*_NAMING.values(), *_PLACE.values(), _OPERATOR} if _is_personal(unit) else set[str]()
    kept = {name: unit[name] for name in _KEPT if name in unit and name not in hidden}
    return {**kept, _KIND: None} if hidden else kept


def _is_personal(unit: Unit) -> bool:
    """Whether a person runs it, or nobody says that it is none: then whoever it is, is not told.

    The register's number of an organisation is 517. Others take that for the one of persons, so that the number alone
    is not believed: its words must not say so either, nor a name that is one of persons together.
    """
    words = (unit.get(_OPERATOR), unit.get(_MASKED))
    named = any(isinstance(word, str) and _PERSONAL.search(word) for word in words)
    return unit.get(_KIND) != _ORGANISATION or unit.get(_ANONYMOUS) is True or named


def build_unit_rows(units: list[Unit]) -> Iterator[dict[str, object]]:
    """The units as rows of `COLUMNS`."""
    for unit in units:
        is_personal = _is_personal(unit)
        yield {
            "unit_id": unit[_ID],
            **{field: _text(unit.get(name)) for field, name in _TEXTS.items()},
            **{field: unit.get(name) for field, name in _NUMBERS.items()},
            **{field: _day(unit.get(name)) for field, name in _DAYS.items()},
            **({} if is_personal else {field: _text(unit.get(name)) for field, name in _NAMING.items()}),
            **({} if is_personal else {field: unit.get(name) for field, name in _PLACE.items()}),
            "operator": None if is_personal else _operator(unit.get(_OPERATOR)),
            "operator_type": "person" if is_personal else "organisation",
            "energy_carrier": _code(_CARRIERS, unit.get(_CARRIER)),
            "status": _code(_STATES, unit.get(_STATUS)),
            "is_checked": {_CHECKED: "true", _UNCHECKED: "false"}.get(_number(unit.get(_CHECK))),
            "changed_at": _moment(unit.get(_CHANGED)),
        }


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _code(codes: dict[int, str], value: object) -> str | None:
    return codes.get(_number(value))


def _operator(value: object) -> str | None:
    name = _text(value)
    return _NUMBER_BEHIND.sub("", name) or None if name else None


def _instant(value: object) -> datetime | str | None:
    """The instant; what is none stays, to be found at fault, and the zero of the register's clock is nothing."""
    if not isinstance(value, str) or not value:
        return None
    match = _DATE.fullmatch(value)
    try:
        moment = None if match is None else _EPOCH + timedelta(milliseconds=int(match[1]))
    except OverflowError:
        moment = None
    if moment is None:
        return value
    return None if moment < _NO_DAY else moment


def _moment(value: object) -> str | None:
    moment = _instant(value)
    return moment.isoformat() if isinstance(moment, datetime) else moment


def _day(value: object) -> str | None:
    # A day is written as its midnight in UTC.
    moment = _instant(value)
    return moment.date().isoformat() if isinstance(moment, datetime) else moment
