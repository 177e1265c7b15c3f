"""OParl 1.0 and 1.1: meetings and papers of councils, by what has changed in the days of the window.

Lists are followed by their next links to the end; persons never land.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.model import ADDRESS
from civitas_assets.catalog.template import expand
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.fetching import check_found
from civitas_assets.connectors.mapping.service_rows import build_raw_table
from civitas_assets.connectors.oparl.oparl_objects import (
    OBJECTS,
    CouncilFile,
    CouncilPlace,
    Meeting,
    Paper,
    Start,
    decode_objects,
    decode_page,
    decode_start,
    redact_council_answer,
)
from civitas_assets.connectors.pagination.links import resolve_link
from civitas_assets.connectors.pagination.pagination import Completeness, check_all
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.records import RawTable

_ADVICE = "fetch again; if it stays so, tell its operator"
_RECORD_TYPES = {"meetings": "event", "papers": "council_paper"}


class OparlSource(Source):
    """A council's system or body; `url` is the address of that object."""

    takes_days: ClassVar[bool] = True

    connector: Literal["oparl"]
    url: str = Field(pattern=ADDRESS, description="Address of the system, or of one of its bodies.")
    objects: tuple[Literal["meetings", "papers"], ...] = Field(
        ("meetings", "papers"), min_length=1, description="What is read: meetings, papers."
    )

    def record_types(self) -> frozenset[str]:
        """Meetings are events."""
        return frozenset(_RECORD_TYPES[name] for name in self.objects)

    def redact_answer(self, role: str, body: bytes) -> bytes:
        """Of each object only what is known to be needed: no persons, and no texts of files."""
        return redact_council_answer(role, body)


class OparlConnector:
    """Fetches and reads OParl."""

    name = "oparl"
    source_model: type[Source] = OparlSource

    def fetch(self, source: OparlSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """Meetings and papers that were changed in the window, of the body or of all bodies of the system."""
        crawl = _Crawl(source, window, zone)
        requests = [
            Request(e.url, role="start", variables=e.variables)
            for e in expand(source.url, source.each, window, source.http.max_pages)
        ]
        found = 0
        for answer in session.crawl(requests, crawl.follow):
            if answer.request.role == "start":
                found += answer.found
            elif not answer.found:
                raise FetchError(
                    f"{answer.request.url} was not found, though its council leads to it: {_ADVICE}"
                )
        check_found(requests, found)
        crawl.check()

    def read(self, source: OparlSource, payload: Payload) -> Iterator[RawTable]:
        """Events or papers, by the role of the request."""
        if payload.role not in OBJECTS:
            decode_start(payload.body)
            return
        page = decode_page(payload.body)
        if payload.role == "meetings":
            meetings, broken = decode_objects(page, Meeting)
            table = build_raw_table("event", map(build_meeting_row, meetings), EVENT_FIELDS)
        elif payload.role == "papers":
            papers, broken = decode_objects(page, Paper)
            table = build_raw_table("council_paper", map(build_paper_row, papers), PAPER_FIELDS)
        else:
            return
        yield replace(table, broken=broken)


@dataclass
class _Crawl:
    """From the object at the source's address to its lists, and along their pages."""

    source: OparlSource
    window: Window
    zone: ZoneInfo
    lists: dict[str, Completeness] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def follow(self, answer: Payload) -> Iterator[Request]:
        """What the answer leads to.

        Raises:
            ReadError: it is none of OParl, or leads in a circle.
        """
        if not answer.found:
            return
        if answer.request.role == "start":
            start = decode_start(answer.body)
            if start.body is not None and start.meeting is None and start.paper is None:
                yield self._list(answer, start.body, "bodies")
            else:
                yield from self._lists_of(answer, start)
            return
        page = decode_page(answer.body)
        listed = answer.request.variables["list"]
        found, broken = decode_objects(page, OBJECTS[answer.request.role])
        names = [each.id for each in found] + [each.raw or None for each in broken]
        self.lists[listed].add(names, page.total)
        # What is wrong with one body is told when the others have been asked for.
        faults = list[str]()
        if answer.request.role == "bodies":
            faults += [f"has a body {row.raw or row.row} that {row.detail}: {_ADVICE}" for row in broken]
            for body in found:
                if isinstance(body, Start) and not body.deleted:
                    try:
                        yield from self._lists_of(answer, body)
                    except ReadError as error:
                        faults.append(str(error))
        if page.links.next:
            url = resolve_link(answer.request.url, page.links.next)
            if url in self.asked:
                faults.append(f"leads back to a page that was there already, {url}: {_ADVICE}")
            else:
                self.asked.add(url)
                yield replace(answer.request, url=url)
        if faults:
            raise ReadError("; ".join(faults))

    def _lists_of(self, answer: Payload, body: Start) -> Iterator[Request]:
        links = {"meetings": body.meeting, "papers": body.paper}
        wanted = [name for name in links if name in self.source.objects]
        for name in wanted:
            if (link := links[name]) is not None:
                yield self._list(answer, link, name)
        if missing := [name for name in wanted if links[name] is None]:
            lists = " and ".join(missing)
            raise ReadError(
                f"has no list of {lists} in {body.id}: leave {lists} out of objects, or say the bodies' own addresses "
                "as url, by each"
            )

    def _list(self, answer: Payload, link: str, role: str) -> Request:
        url = resolve_link(answer.request.url, link)
        if role != "bodies":
            since, until = self.window.to_instants(self.zone)
            changed = f"modified_since={_to_parameter(since)}&modified_until={_to_parameter(until)}"
            url = f"{url}{'&' if '?' in url else '?'}{changed}"
        self.lists[url] = Completeness(url)
        self.asked.add(url)
        return Request(url, role=role, variables={"list": url})

    def check(self) -> None:
        """Check that each list has come whole, as far as its server says how long it is.

        Raises:
            FetchError: it has not.
        """
        check_all(self.lists.values(), _ADVICE)


def _to_parameter(moment: object) -> str:
    return quote(f"{moment:%Y-%m-%dT%H:%M:%S+00:00}", safe="")


EVENT_FIELDS = (
    "event_id", "event_type", "title", "start_at", "end_at", "status", "status_native", "place_name", "website",
    "changed_at",
)  # fmt: skip
PAPER_FIELDS = (
    "paper_id", "reference", "title", "paper_type", "dated_on", "place_name", "file_url", "website", "created_at",
    "changed_at", "is_withdrawn",
)  # fmt: skip
_DELETED = "deleted"
# As the specification has them; another word is left as it is.
_STATES = {"terminiert": "planned", "eingeladen": "planned", "durchgeführt": "ended"}


def build_meeting_row(meeting: Meeting) -> Mapping[str, object]:
    """The fields of `event`."""
    state = _tidy(meeting.meeting_state)
    status = "cancelled" if meeting.cancelled or meeting.deleted else _STATES.get((state or "").lower())
    return {
        "event_id": meeting.id,
        "event_type": "meeting",
        "title": _tidy(meeting.name),
        "start_at": _tidy(meeting.start),
        "end_at": _tidy(meeting.end),
        "status": status,
        "status_native": _DELETED if meeting.deleted else state,
        "place_name": meeting.location.text if isinstance(meeting.location, CouncilPlace) else None,
        "website": _tidy(meeting.web),
        "changed_at": _tidy(meeting.modified),
    }


def build_paper_row(paper: Paper) -> Mapping[str, object]:
    """The fields of `council_paper`."""
    places = [place.text for place in paper.location or () if isinstance(place, CouncilPlace)]
    file = paper.main_file if isinstance(paper.main_file, CouncilFile) else None
    return {
        "paper_id": paper.id,
        "reference": _tidy(paper.reference),
        "title": _tidy(paper.name),
        "paper_type": _tidy(paper.paper_type),
        "dated_on": _tidy(paper.date),
        "place_name": "; ".join(filter(None, places)) or None,
        "file_url": file and (_tidy(file.download_url) or _tidy(file.access_url)),
        "website": _tidy(paper.web),
        "created_at": _tidy(paper.created),
        "changed_at": _tidy(paper.modified),
        "is_withdrawn": "true" if paper.deleted else "false",
    }


def _tidy(text: str | None) -> str | None:
    return " ".join(text.split()) or None if text is not None else None
