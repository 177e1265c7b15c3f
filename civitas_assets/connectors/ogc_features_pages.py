"""Paging through the features of OGC services: what is asked for, where each answer leads, and whether all has come.

What is in the features is not looked at, but for their ids, which tell whether pages overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import msgspec

from civitas_assets.catalog import Box
from civitas_assets.connectors.base import Answer, Request, Session
from civitas_assets.connectors.links import led_to
from civitas_assets.connectors.markup import is_markup, outline
from civitas_assets.connectors.pagination import END_UNPROVEN, Completeness, says_incomplete
from civitas_assets.connectors.rows import UNREADABLE, decoded
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.records.geometry import epsg_of

HITS, PAGE, FURTHER = "hits", "features", "further"  # the last for what a service need not understand
_DEGREES = "urn:ogc:def:crs:EPSG::4326"  # latitude first, by that name
_ACCEPT = {"Accept": "application/geo+json, application/json;q=0.9"}


@dataclass(frozen=True)
class Question:
    """Which features are wanted of a service; `given` names parameters that the tenant's file adds itself."""

    address: str
    variables: Mapping[str, str]
    collection: str
    page_size: int
    box: Box | None
    crs: str | None
    filter: str | None
    datetime: str | None
    sort_by: str | None
    format: str | None
    given: frozenset[str]

    def request(self, address: str, parameters: Mapping[str, str | None], role: str = PAGE) -> Request:
        """The request with those of the parameters that have a value."""
        present = [f"{k}={quote(v, safe=',:/')}" for k, v in parameters.items() if v and k not in self.given]
        joint = "&" if "?" in address else "?"
        url = address if address.endswith(("?", "&")) else address + joint
        headers = _ACCEPT if "f" in parameters else {}
        return Request(url + "&".join(present), role=role, variables=self.variables, headers=headers)


class _Feature(msgspec.Struct):
    id: str | int | float | None = None


class _Link(msgspec.Struct):
    href: str = ""
    rel: str = ""


class _Collection(msgspec.Struct):
    features: list[_Feature]
    numberMatched: int | str | None = None  # noqa: N815 - as the standard names it
    totalFeatures: int | str | None = None  # noqa: N815 - likewise, older servers
    links: list[_Link] = []


@dataclass(frozen=True)
class _Page:
    """What an answer says about itself: ids of its features, how many match in all, and its next link."""

    ids: tuple[str | None, ...]
    total: int | None
    next: str | None
    is_cut: bool = False

    @classmethod
    def of(cls, body: bytes) -> _Page:
        if is_markup(body):
            document = outline(body)
            if document.complaint:
                raise ReadError(f"reports an error: {document.complaint}")
            ids = tuple(feature.id for feature in document.features)
            said = document.attributes
            return cls(ids, _count(said.get("numberMatched")), said.get("next"))
        try:
            found = msgspec.json.decode(body, type=_Collection)
        except UNREADABLE as error:
            raise ReadError(f"is no collection of features: {error}") from None
        total = found.totalFeatures if found.numberMatched is None else found.numberMatched
        return cls(
            tuple(None if feature.id is None else str(feature.id) for feature in found.features),
            _count(total),
            next((link.href for link in found.links if link.rel == "next" and link.href), None),
            says_incomplete(body),
        )


def is_page(body: bytes) -> bool:
    """Whether an answer holds features, and no complaint about the question.

    Raises:
        ReadError: it is neither XML nor JSON.
    """
    try:
        _Page.of(body)
    except ReadError:
        if is_markup(body):
            return not outline(body).complaint
        decoded(body, Any, "the service")
        return False
    return True


def _completeness(question: Question) -> Completeness:
    return Completeness(f"{question.collection} of {question.address}")


def _ask_further(
    session: Session, question: Question, tally: Completeness, page: Callable[[int], Request]
) -> None:
    """Ask for what comes after all that has come, until nothing new does: no service has to say where its end is.

    Raises:
        FetchError: the service says that there is more, and does not give it.
    """
    while not tally.is_at_end(question.page_size):
        request = replace(page(tally.rows), role=FURTHER)
        try:
            found = [_Page.of(answer.content()) for answer in session.crawl([request]) if answer.found]
        except (FetchError, ReadError):
            found = []
        if not found:
            _tell(session, tally, "ask its operator whether that is all")
            return
        rows = tally.rows
        if not tally.add(found[0].ids, found[0].total, is_cut=found[0].is_cut) and found[0].ids:
            # It leaves the question aside and answers the first one again, which is no repetition.
            tally.rows = rows
            _tell(session, tally, "ask its operator, or set a larger page_size and compare")


def _tell(session: Session, tally: Completeness, advice: str) -> None:
    if tally.total is None:
        tally.tell_unproven(session, advice)


class Items:
    """The items of a collection of an OGC API; its next links are followed as they are."""

    def __init__(self, question: Question, advertised: str | None = None) -> None:
        self._question, self._tally, self._linked = question, _completeness(question), False
        self._advertised = advertised

    def crawl(self, session: Session) -> None:
        """Ask for all pages: by their links, and where there are none, by how many came before.

        Raises:
            FetchError: an answer failed, or fewer features came than match.
        """
        for _ in session.crawl([self._page()], self._follow):
            pass
        # Where one page has led to the next, the one that leads to none is the last.
        if self._tally.pages and not (self._linked and (self._tally.total is None or self._tally.has_total)):
            _ask_further(session, self._question, self._tally, self._page)
        self._tally.check("the server's paging is at fault; try another page_size")

    def _page(self, offset: int = 0) -> Request:
        wanted = self._question
        root, _, query = wanted.address.partition("?")
        address = f"{root.rstrip('/')}/collections/{quote(wanted.collection, safe='')}/items"
        return wanted.request(
            f"{address}?{query}" if query else address,
            {
                "f": "json",
                "limit": str(wanted.page_size),
                "bbox": None if wanted.box is None else ",".join(f"{degrees:.7g}" for degrees in wanted.box),
                "datetime": wanted.datetime,
                "crs": _address_of(wanted.crs),
                "filter": wanted.filter,
                "filter-lang": wanted.filter and "cql2-text",
                "offset": str(offset) if offset else None,
            },
        )

    def _follow(self, answer: Answer) -> Iterator[Request]:
        page = _Page.of(answer.content())
        self._check_crs(answer)
        new = self._tally.add(page.ids, page.total, is_cut=page.is_cut)
        if page.next and new:
            self._linked = True
            url = led_to(answer.request.url, page.next, self._advertised, self._question.address)
            yield Request(url, answer.request.role, answer.request.variables, answer.request.headers)

    def _check_crs(self, answer: Answer) -> None:
        """A server that does not know a parameter may leave it aside: what it answers in, its header says."""
        wanted, said = _address_of(self._question.crs), answer.headers.get("content-crs", "").strip(" <>")
        if wanted and epsg_of(said) != self._question.crs:
            raise ReadError(
                f"is in {said or 'longitude and latitude'}, not in {self._question.crs}: leave crs out"
            )


class WebFeatures:
    """The features of a type in a WFS: version 2.0 in pages, version 1.1 in one answer."""

    def __init__(self, question: Question, *, paged: bool) -> None:
        self._question, self._paged, self._tally = question, paged, _completeness(question)

    def crawl(self, session: Session) -> None:
        """Ask how many features there are, then for them, and for more than there should be.

        Raises:
            FetchError: an answer failed, or fewer features came than match.
        """
        tally, size = self._tally, self._question.page_size
        tally.total = self._hits(session)
        for _ in session.crawl([self._page(0)], self._follow):
            pass
        if self._paged:
            if tally.pages:
                _ask_further(session, self._question, tally, self._page)
            tally.check("set sort_by to an attribute that is unique, or a larger page_size")
            return
        tally.check("version 1.1 has no pages; set a larger page_size, or api: wfs2")
        if tally.rows >= size:
            limit = f"{tally.what}: {tally.rows} features came, which is the limit"
            advice = "set a larger page_size, or api: wfs2"
            if tally.total is None:
                raise FetchError(f"{limit}: {advice}")
            session.note(
                END_UNPROVEN, f"{limit}, and the service counts no more, which it may do up to it: {advice}"
            )

    def _hits(self, session: Session) -> int | None:
        """How many features match, if the service says; in its pages many services do not."""
        request = self._question.request(self._question.address, self._parameters(resultType="hits"), HITS)
        try:
            (said,) = [outline(answer.content()).attributes for answer in session.crawl([request])]
        except (FetchError, ReadError):
            return None
        return _count(said.get("numberMatched" if self._paged else "numberOfFeatures"))

    def _page(self, start: int) -> Request:
        wanted, size = self._question, str(self._question.page_size)
        paging = {"sortBy": wanted.sort_by, "count": size, "startIndex": str(start)}
        more = self._parameters(
            outputFormat=wanted.format,
            srsName=_name_of(wanted.crs),
            **(paging if self._paged else {"maxFeatures": size}),
        )
        return wanted.request(wanted.address, more)

    def _parameters(self, **more: str | None) -> dict[str, str | None]:
        wanted, box = self._question, None
        if wanted.box is not None:
            west, south, east, north = wanted.box
            box = ",".join(f"{degrees:.7g}" for degrees in (south, west, north, east)) + f",{_DEGREES}"
        return {
            "service": "WFS",
            "version": "2.0.0" if self._paged else "1.1.0",
            "request": "GetFeature",
            "typeNames" if self._paged else "typeName": wanted.collection,
            "bbox": box,
            "cql_filter": wanted.filter,
            **more,
        }

    def _follow(self, answer: Answer) -> Iterator[Request]:
        page, tally = _Page.of(answer.content()), self._tally
        # What a page says of the total may be the number of its own features: hits go before.
        new = tally.add(
            page.ids, page.total if self._paged and tally.total is None else None, is_cut=page.is_cut
        )
        full = len(page.ids) >= self._question.page_size or page.next is not None
        more = not tally.has_total if tally.total is not None else full
        # Members are counted, since what an answer says of their number may be wrong.
        if self._paged and new and more:
            yield self._page(tally.rows)


def _address_of(crs: str | None) -> str | None:
    """The name of a reference system in OGC APIs, None where it is the usual one."""
    if crs in {None, "EPSG:4326"}:
        return None
    return f"http://www.opengis.net/def/crs/EPSG/0/{str(crs).removeprefix('EPSG:')}"


def _name_of(crs: str | None) -> str | None:
    return None if crs is None else f"urn:ogc:def:crs:EPSG::{crs.removeprefix('EPSG:')}"


def _count(text: str | int | None) -> int | None:
    """A number of features; "unknown" is None."""
    try:
        return None if text is None else int(text)
    except ValueError:
        return None
