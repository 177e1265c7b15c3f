"""Objects of OParl 1.0 and 1.1 as types: only members that are named here are ever decoded and kept.

Persons, memberships, files' texts and who has written what are not among them. https://oparl.org/spezifikation/
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from civitas_assets.connectors.mapping.service_rows import UNREADABLE, decode_answer
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow

SERVICE = "OParl"
T = TypeVar("T")


class _Kept(msgspec.Struct, omit_defaults=True, rename="camel"):
    """What every object has; `unreadable` is written in place of one that is none."""

    id: str = ""
    type: str = ""
    name: str | None = None
    web: str | None = None
    created: str | None = None
    modified: str | None = None
    deleted: bool | None = None
    unreadable: str = ""


class _Named(msgspec.Struct):
    id: str = ""


class CouncilFile(msgspec.Struct, omit_defaults=True, rename="camel"):
    """A file, of which only the address is kept."""

    access_url: str | None = None
    download_url: str | None = None


class CouncilPlace(msgspec.Struct, omit_defaults=True, rename="camel"):
    """A place in words."""

    description: str | None = None
    street_address: str | None = None
    room: str | None = None
    locality: str | None = None

    @property
    def text(self) -> str | None:
        """The place in a line."""
        parts = (
            self.room,
            self.description or self.street_address,
            None if self.description else self.locality,
        )
        return ", ".join(part.strip() for part in parts if part and part.strip()) or None


# What may be embedded, or only named by its address.
_File = CouncilFile | str | None
_Place = CouncilPlace | str | None


class Start(_Kept):
    """A system, which has a list of bodies, or a body, which has lists of meetings and papers."""

    body: str | None = None
    meeting: str | None = None
    paper: str | None = None


class Meeting(_Kept):
    """A meeting of a committee."""

    start: str | None = None
    end: str | None = None
    meeting_state: str | None = None
    cancelled: bool | None = None
    location: _Place = None


class Paper(_Kept):
    """A paper."""

    reference: str | None = None
    date: str | None = None
    paper_type: str | None = None
    main_file: _File = None
    location: list[_Place] | None = None


class _Links(msgspec.Struct, omit_defaults=True):
    next: str | None = None


class _Pagination(msgspec.Struct, omit_defaults=True, rename="camel"):
    total_elements: int | None = None


class CouncilPage(msgspec.Struct):
    """A page of a list; its objects are decoded one by one."""

    data: list[msgspec.Raw]
    links: _Links = msgspec.field(default_factory=_Links)
    pagination: _Pagination = msgspec.field(default_factory=_Pagination)

    @property
    def total(self) -> int | None:
        """How many objects there are, where the server says so."""
        return self.pagination.total_elements


OBJECTS: dict[str, type[_Kept]] = {"bodies": Start, "meetings": Meeting, "papers": Paper}
"""By the role of a page, what it lists."""


def decode_start(body: bytes) -> Start:
    """The object at the source's address.

    Raises:
        ReadError: it is none.
    """
    found: Start = decode_answer(body, Start, SERVICE)
    if not found.id:
        raise ReadError(f"is not what {SERVICE} answers: it has no id")
    return found


def decode_page(body: bytes) -> CouncilPage:
    """A page of a list.

    Raises:
        ReadError: it is none.
    """
    found: CouncilPage = decode_answer(body, CouncilPage, SERVICE)
    return found


def decode_objects(page: CouncilPage, kind: type[T]) -> tuple[list[T], tuple[BrokenRow, ...]]:
    """The objects of a page, and those that are none of that kind, each for itself."""
    found, broken = list[T](), list[BrokenRow]()
    for row, element in enumerate(page.data, 1):
        made: Any = _decode_object(element, kind)
        if made.unreadable:
            broken.append(BrokenRow(row, "unreadable_object", made.unreadable, made.id))
        else:
            found.append(made)
    return found, tuple(broken)


def _decode_object(element: msgspec.Raw, kind: Any) -> Any:
    try:
        made = msgspec.json.decode(element, type=kind)
    except UNREADABLE as error:
        return kind(unreadable=f"is none of {kind.__name__}: {error}", id=_find_id(element))
    return made if made.id or made.unreadable else kind(unreadable="has no id")


def _find_id(element: msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(element, type=_Named).id
    except UNREADABLE:
        return ""


def redact_council_answer(role: str, body: bytes) -> bytes:
    """The answer with nothing but the members that are named here; what is no object is named as such.

    Raises:
        ReadError: it is none of OParl.
    """
    if role not in OBJECTS:
        return msgspec.json.encode(decode_start(body))
    page = decode_page(body)
    page.data = [
        msgspec.Raw(msgspec.json.encode(_decode_object(element, OBJECTS[role]))) for element in page.data
    ]
    return msgspec.json.encode(page)
