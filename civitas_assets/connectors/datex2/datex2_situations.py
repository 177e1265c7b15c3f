"""Situations of DATEX II as events: roadworks, closures, accidents and what else happens on roads.

A situation has one event for each of its records, which may be the works, their closure and the diversion.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from civitas_assets.connectors.datex2.datex2_document import (
    REAL,
    Node,
    list_unread_elements,
    note_exercises,
    parse_document,
)
from civitas_assets.connectors.datex2.datex2_location import (
    read_display_point,
    read_located_geometry,
    read_place_name,
)
from civitas_assets.connectors.datex2.datex2_validity import UndecidableError, read_validity
from civitas_assets.connectors.mapping.service_rows import build_raw_table
from civitas_assets.errors import ReadError
from civitas_assets.records import Note, RawTable

_CODES = {
    "MaintenanceWorks": "roadworks",
    "ConstructionWorks": "roadworks",
    "Roadworks": "roadworks",
    "Accident": "accident",
    "AbnormalTraffic": "congestion",
    "PublicEvent": "public_event",
    "PoorEnvironmentConditions": "weather",
    "WeatherRelatedRoadConditions": "weather",
}
_CLOSURES = frozenset(
    {
        "roadClosed",
        "carriagewayClosures",
        "laneClosures",
        "overnightClosures",
        "intermittentShortTermClosures",
        "closedPermanentlyForTheWinter",
    }
)
# What a record of a class is in detail.
_DETAILS = (
    "roadOrCarriagewayOrLaneManagementType",
    "constructionWorkType",
    "roadMaintenanceType",
    "accidentType",
    "abnormalTrafficType",
    "obstructionType",
    "publicEventType",
    "poorEnvironmentType",
    "weatherRelatedRoadConditionType",
)
_READ = frozenset({
    "id", "version", "situationRecordCreationTime", "situationRecordVersionTime", "validity", "severity", "management",
    "generalPublicComment", "locationReference", "groupOfLocations",
})  # fmt: skip
# Who says it, to whom and how surely; what is not for the public is never read.
_NO_MODEL = frozenset({
    "situationRecordCreationReference", "situationRecordObservationTime", "situationRecordFirstSupplierVersionTime",
    "confidentialityOverride", "probabilityOfOccurrence", "source", "nonGeneralPublicComment", "urlLink",
    "complianceOption", "operatorActionOrigin", "operatorActionStatus", "safetyRelatedMessage", "mobility", "subjects",
})  # fmt: skip
_SEVERITIES = frozenset({"lowest", "low", "medium", "high", "highest"})
_STATUSES = frozenset({"planned", "active", "suspended"})
_COLUMNS = (
    *(
        "event_id",
        "event_type",
        "event_type_native",
        "title",
        "description",
        "start_at",
        "end_at",
        "severity",
    ),
    *("severity_native", "status", "status_native", "place_name", "changed_at", "lon", "lat", "geometry"),
)

_HAS_LOCATION = "@has_location"  # of a row, whether it names one

Row = dict[str, object]


def read_event_table(body: bytes, language: str, zone: ZoneInfo, *, has_rule: bool = False) -> RawTable:
    """The events of a publication, each in its latest version; exercises and tests are left out, which a note tells.

    Times without an offset are those of the zone, unless the source has a rule for them.

    Raises:
        ReadError: it is no publication of situations.
    """
    document = parse_document(body, "situation")
    latest: dict[object, tuple[int, Row]] = {}
    unreal = Counter(document.unreal)
    undecided: list[str] = []
    names = set[str]()
    found = bool(document.unreal)
    for situation, published in document.list_parts("situation"):
        found = True
        status = situation.word("headerInformation", "informationStatus") or REAL
        if status != REAL:
            unreal[status] += 1
            continue
        names.update(
            child.name for record in situation.all("situationRecord") for child in _own(record).children
        )
        for version, row in _events(situation, published, language, zone, undecided):
            key = row["event_id"] or object()  # rows without an id stay, to be found at fault
            if key not in latest or latest[key][0] <= version:
                latest[key] = (version, row)
    if not found and not any(name.endswith("SituationPublication") for name in document.publications):
        raise ReadError("holds no situations of DATEX II")
    notes = (*note_exercises(unreal), *_unplaced([row for _, row in latest.values()]))
    if undecided:
        notes += (
            Note(
                "status_not_decided",
                f"the periods of {len(undecided):,} event(s) depend on what is not known here, such as holidays, or "
                f"end before they begin: they have no status ({undecided[0]})",
            ),
        )
    if not has_rule:
        for _, row in latest.values():
            row |= {name: _with_offset(row[name], zone) for name in ("start_at", "end_at", "changed_at")}
    found_events = build_raw_table("event", (row for _, row in latest.values()), _COLUMNS)
    return replace(
        found_events, notes=notes, unknown_fields=list_unread_elements(names, _READ, _DETAILS, _NO_MODEL)
    )


def _events(
    situation: Node, published: str | None, language: str, zone: ZoneInfo, undecided: list[str]
) -> Iterator[tuple[int, Row]]:
    for wrapped in situation.all("situationRecord"):
        record = _own(wrapped)
        version = record.word("version") or ""
        row = _event(situation, record, language)
        try:
            row["status"] = _status(record, published, zone)
        except UndecidableError:
            undecided.append(str(row["event_id"]))
        yield int(version) if version.isdecimal() else 0, row


def _own(wrapped: Node) -> Node:
    return wrapped.unwrap("sit")


def _unplaced(rows: Sequence[Row]) -> tuple[Note, ...]:
    """The note on events whose location is only told in a way that has no coordinates here."""
    found = [row for row in rows if row[_HAS_LOCATION] and row["lon"] is None and row["geometry"] is None]
    if not found:
        return ()
    text = f"{len(found):,} event(s) have a location without coordinates, such as a code ({found[0]['event_id']})"
    return (Note("location_without_coordinates", text),)


def _event(situation: Node, record: Node, language: str) -> Row:
    details = [text for name in _DETAILS for node in record.all(name) if (text := node.word())]
    ids = [text for node in (situation, record) if (text := node.word("id"))]
    comments = [
        text
        for node in record.all("generalPublicComment")
        if (text := (node.first("comment") or node).read_localized(language))
    ]
    said = "\n".join(dict.fromkeys(comments))
    title = said.strip().partition("\n")[0].strip()
    times = record.first("validity", "validityTimeSpecification")
    start, end = (times.word(name) if times else None for name in ("overallStartTime", "overallEndTime"))
    severity = record.word("severity") or situation.word("overallSeverity")
    location = record.first("locationReference") or record.first("groupOfLocations")
    lon, lat = read_display_point(location) if location else (None, None)
    return {
        "event_id": "/".join(ids) if record.word("id") else None,
        "event_type": _code(record.kind, details),
        "event_type_native": ": ".join([record.kind, ", ".join(details)][: 1 + bool(details)])
        if record.kind
        else None,
        "title": title or None,
        "description": said if said != title else None,
        "start_at": start,
        "end_at": end,
        "severity": severity if severity in _SEVERITIES else None,
        "severity_native": severity,
        "status_native": record.word("validity", "validityStatus"),
        "place_name": read_place_name(location, language) if location else None,
        "changed_at": record.word("situationRecordVersionTime")
        or situation.word("situationVersionTime")
        or record.word("situationRecordCreationTime"),
        "lon": lon,
        "lat": lat,
        "geometry": read_located_geometry(location) if location else None,
        _HAS_LOCATION: location is not None,
    }


def _with_offset(written: object, zone: ZoneInfo) -> object:
    """A time with the offset of the tenant's clock where it has none of its own, as its periods are understood."""
    try:
        moment = datetime.fromisoformat(str(written or ""))
    except ValueError:
        return written  # to be found at fault
    return written if moment.tzinfo else moment.replace(tzinfo=zone).isoformat()


def _code(kind: str | None, details: list[str]) -> str | None:
    if kind is None:
        return None
    if kind == "RoadOrCarriagewayOrLaneManagement" and _CLOSURES & {*details}:
        return "closure"
    return _CODES.get(kind, "obstruction" if kind.endswith("Obstruction") else "traffic_other")


def _status(record: Node, published: str | None, zone: ZoneInfo) -> str | None:
    """Where it stands when it was published: as the publisher says, else by its times and periods.

    Raises:
        UndecidableError: these depend on what is not known.
    """
    for name, status in (("cancel", "cancelled"), ("end", "ended")):
        if record.word("management", "lifeCycleManagement", name) in ("true", "1"):
            return status
    native = record.word("validity", "validityStatus")
    if native in _STATUSES:
        return native
    if native != "definedByValidityTimeSpec" or (now := _instant(published)) is None:
        return None
    return read_validity(record.first("validity", "validityTimeSpecification"), zone).status(now)


def _instant(written: str | None) -> datetime | None:
    """A time that can be compared with another: one with its offset."""
    try:
        time = datetime.fromisoformat(written or "")
    except ValueError:
        return None
    return time if time.tzinfo else None
