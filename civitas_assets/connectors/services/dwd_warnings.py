"""Official warnings of the German weather service (DWD), as CAP 1.2 in an archive of all that are valid.

A warning names the municipalities that it is for by the cells of the service, whose numbers hold their official keys.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Literal
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.model import SnapshotShare
from civitas_assets.catalog.municipalities import find_municipality, has_key
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.content.archive import list_archive_names, unzip_members
from civitas_assets.connectors.content.trusted_xml import XML_FAULTS, parse_xml
from civitas_assets.connectors.fetching import fetch_all
from civitas_assets.connectors.mapping.service_rows import build_raw_table
from civitas_assets.connectors.services.service import (
    Attribution,
    MunicipalSource,
    Root,
    ServiceLicence,
    Title,
)
from civitas_assets.errors import Note, ReadError
from civitas_assets.records import BrokenRow, RawTable

_CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
_CELL, _LANGUAGE = "WARNCELLID", "de"
_SEVERITIES = {"Minor": "low", "Moderate": "medium", "Severe": "high", "Extreme": "highest"}
_COLUMNS = (
    "event_id", "event_type", "event_type_native", "title", "description", "start_at", "end_at", "severity",
    "severity_native", "status", "status_native", "place_name", "website", "changed_at",
)  # fmt: skip
# What a cell is, by the first digit of its number; the official key follows. The last kind is a part of a district, or
# one together with the town in its midst, which is a district by itself and only named.
_DISTRICT, _QUARTER, _MUNICIPALITY, _AREA = "1", "7", "8", "9"
_WITH_TOWN = re.compile(r"\bStadt (\S+)")


class DwdWarningsSource(MunicipalSource):
    """Warnings for municipalities by their official keys, or for those whose middle is in the tenant's box."""

    connector: Literal["dwd_warnings"]
    title: Title = "Amtliche Warnungen des Deutschen Wetterdienstes"
    licence: ServiceLicence = "CC-BY-4.0"
    attribution: Attribution = "Deutscher Wetterdienst"
    url: Root = (
        "https://opendata.dwd.de/weather/alerts/cap/COMMUNEUNION_DWD_STAT/"
        "Z_CAP_C_EDZW_LATEST_PVW_STATUS_PREMIUMDWD_COMMUNEUNION_DE.zip"
    )
    snapshot_share: SnapshotShare = 0.0  # there may be none

    lists_whole: ClassVar[frozenset[str]] = frozenset({"event"})

    def record_types(self) -> frozenset[str]:
        """Events."""
        return frozenset({"event"})


@dataclass(frozen=True)
class _Warning:
    """A message, and its part in German; one that takes another back may have no such part."""

    identifier: str
    status: str
    kind: str
    sent: str | None
    references: tuple[str, ...]
    info: Element | None


class DwdWarningsConnector:
    """Fetches and reads official warnings."""

    name = "dwd_warnings"
    source_model: type[Source] = DwdWarningsSource

    def fetch(self, source: DwdWarningsSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """The archive of the warnings that are valid now.

        Raises:
            FetchError: it is not answered, or there is no municipality that a warning could concern.
        """
        source.check_keys(session, "so that no warning would ever concern it")
        fetch_all(session, [Request(source.url)])

    def read(self, source: DwdWarningsSource, payload: Payload) -> Iterator[RawTable]:
        """The warnings that concern the municipalities, each as its last message says."""
        found, broken = _read_archive(payload.body, source.http.max_bytes)
        keys = source.list_keys()
        actual = [warning for warning in found if warning.status == "Actual"]
        # What another message of the archive updates or cancels holds no longer.
        replaced = {reference for warning in actual for reference in warning.references}
        rows = list[dict[str, object]]()
        for number, warning in enumerate(actual, 1):
            if warning.info is None or warning.identifier in replaced:
                continue
            cells = _list_cells(warning.info)
            if not cells:
                detail = f"names no {_CELL}, so that nobody can say whom it concerns"
                about = (warning.identifier,)
                broken.append(BrokenRow(number, "without_cells", detail, warning.identifier, about))
                continue
            names = [name for cell, name in cells if keys is None or _covers(cell, name, keys)]
            if names:
                row = _build_event(warning, warning.info, names, payload.received_at)
                taken_back = warning.references if warning.kind == "Cancel" else (warning.identifier,)
                rows += ({**row, "event_id": identifier} for identifier in taken_back)
        others = len(found) - len(actual)
        notes = [Note("exercises", f"{others} test(s) or exercise(s) are left out")] if others else []
        yield replace(build_raw_table("event", rows, _COLUMNS), broken=tuple(broken), notes=tuple(notes))


def _read_archive(body: bytes, most_bytes: int) -> tuple[list[_Warning], list[BrokenRow]]:
    """The messages in the archive, and what in it is none; an empty archive says that no warning is valid.

    Raises:
        ReadError: it is no archive, or none of the files in it is a message.
    """
    found, broken = list[_Warning](), list[BrokenRow]()
    for row, (name, content) in enumerate(unzip_members(body, "*.xml", most_bytes), 1):
        try:
            found.append(_read_message(parse_xml(content)))
        except XML_FAULTS as error:
            broken.append(
                BrokenRow(row, "unreadable_warning", f"{name}: {error}", content.decode(errors="replace"))
            )
    if not found and (broken or list_archive_names(body)):
        why = broken[0].detail if broken else "none of its files is a warning (*.xml)"
        raise ReadError(f"is no archive of warnings of the weather service: {why}")
    return found, broken


def _read_message(root: Element) -> _Warning:
    """The message of a document.

    Raises:
        ValueError: it is none of CAP 1.2, or has no identifier.
    """
    identifier = _read(root, "identifier")
    if root.tag != f"{_CAP}alert" or identifier is None:
        raise ValueError(f"has no alert of CAP 1.2 with an identifier, but {root.tag[:80]}")
    infos = root.findall(f"{_CAP}info")
    german = [info for info in infos if (_read(info, "language") or "").lower().startswith(_LANGUAGE)]
    # Each reference is sender, identifier and time.
    triples = (reference.split(",") for reference in (_read(root, "references") or "").split())
    return _Warning(
        identifier,
        _read(root, "status") or "",
        _read(root, "msgType") or "",
        _read(root, "sent"),
        tuple(triple[1] for triple in triples if len(triple) == 3),
        next(iter((*german, *infos)), None),
    )


def _read(element: Element, name: str) -> str | None:
    return (element.findtext(f"{_CAP}{name}") or "").strip() or None


def _list_cells(info: Element) -> list[tuple[str, str]]:
    """The number of each cell, and what the area is called that it belongs to."""
    return [
        (cell, _read(area, "areaDesc") or cell)
        for area in info.findall(f"{_CAP}area")
        for geocode in area.findall(f"{_CAP}geocode")
        if _read(geocode, "valueName") == _CELL and (cell := _read(geocode, "value"))
    ]


def _covers(cell: str, name: str, keys: Collection[str]) -> bool:
    """Whether the cell is one of the municipalities, a part of one that is a district by itself, or its district.

    Of a district that is parted, each part counts: which of them a municipality is in, no number says.
    """
    kind, key = cell[:1], cell[1:]
    if kind == _MUNICIPALITY:
        return key in keys
    if kind == _QUARTER:
        return f"{key[:5]}000" in keys
    if kind not in {_DISTRICT, _AREA}:
        return False
    town = _WITH_TOWN.search(name)
    return any(one.startswith(key[:5]) or (town is not None and _is_town(one, key, town[1])) for one in keys)


def _is_town(key: str, district: str, name: str) -> bool:
    """Whether the key is that of the town of that name which is no part of its district; both are in one region."""
    is_by_itself = key[5:] == "000" and key[:3] == district[:3]
    return is_by_itself and has_key(key) and find_municipality(key).short_name.split()[0] == name


def _build_event(
    warning: _Warning, info: Element, names: Sequence[str], received_at: datetime
) -> dict[str, object]:
    severity, response = _read(info, "severity"), _read(info, "responseType")
    start = _read(info, "onset") or _read(info, "effective")
    return {
        "event_type": "weather",
        "event_type_native": _read(info, "event"),
        "title": _read(info, "headline"),
        "description": "\n".join(filter(None, (_read(info, "description"), _read(info, "instruction"))))
        or None,
        "start_at": start,
        "end_at": _read(info, "expires"),
        "severity": _SEVERITIES.get(severity or ""),
        "severity_native": severity,
        "status": _tell_status(warning, response, start, received_at),
        "status_native": ": ".join(filter(None, (warning.kind, response))) or None,
        "place_name": ", ".join(dict.fromkeys(names)),
        "website": _read(info, "web"),
        "changed_at": warning.sent,
    }


def _tell_status(
    warning: _Warning, response: str | None, start: str | None, received_at: datetime
) -> str | None:
    """Where it stood when it was fetched; None where nobody can tell when it begins."""
    if warning.kind == "Cancel":
        return "cancelled"
    if response == "AllClear":
        return "ended"
    try:
        is_to_come = datetime.fromisoformat(start or "") > received_at
    except (ValueError, TypeError):
        return None
    return "planned" if is_to_come else "active"
