"""Paging through the features of OGC services: what is asked for, where answers lead, and whether all has come.

What is in the features is not looked at, but for their ids, which tell whether pages overlap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from civitas_assets.catalog import Box
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.content.markup import is_markup, scan_outline
from civitas_assets.connectors.fetching import fetch_all
from civitas_assets.connectors.mapping.service_rows import decode_answer
from civitas_assets.connectors.pagination.links import resize_page, resolve_link
from civitas_assets.connectors.pagination.pagination import FURTHER, TRIES, Completeness, note_torn_collection
from civitas_assets.connectors.pagination.partial import is_declared_incomplete
from civitas_assets.connectors.transport.http_reason import extract_reason
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.records.geometry import find_epsg

HITS, PAGE = "hits", "features"
_ACCEPT = {"Accept": "application/geo+json, application/json;q=0.9"}


BboxOrder = Literal["auto", "north_east", "east_north"]


@dataclass(frozen=True)
class FeatureQuery:
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
    bbox_order: BboxOrder = "auto"

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


class _Texts(msgspec.Struct):
    features: list[msgspec.Raw]


@dataclass(frozen=True)
class FeaturePage:
    """What an answer says about itself: ids of its features, how many match in all, and its next link."""

    ids: tuple[str | None, ...]
    total: int | None
    next: str | None
    is_cut: bool = False

    @classmethod
    def from_payload(cls, payload: Payload) -> FeaturePage:
        """What the answer says.

        Raises:
            ReadError: it holds no features, but perhaps a complaint.
        """
        body = payload.body
        if is_markup(body):
            document = payload.parse(scan_outline)
            if document.complaint:
                raise ReadError(f"reports an error: {document.complaint}")
            ids = tuple(feature.id for feature in document.features)
            if None in ids:
                # The root's tag may say when the answer was written.
                ids = _named(ids, [body.partition(b">")[2].partition(b">")[2]] * len(ids))
            said = document.attributes
            return cls(ids, parse_count(said.get("numberMatched")), said.get("next"))
        try:
            found = decode_answer(body, _Collection, "the service")
        except ReadError as error:
            reason = extract_reason(body) or str(error.__cause__ or error)
            raise ReadError(f"is no collection of features: {reason}") from None
        total = found.totalFeatures if found.numberMatched is None else found.numberMatched
        ids = tuple(None if feature.id is None else str(feature.id) for feature in found.features)
        if None in ids:
            ids = _named(ids, decode_answer(body, _Texts, "the service").features)
        return cls(
            ids,
            parse_count(total),
            next((link.href for link in found.links if link.rel == "next" and link.href), None),
            is_declared_incomplete(body, is_alone=False, members=payload.members),
        )


def _named(ids: Sequence[str | None], texts: Iterable[bytes | msgspec.Raw]) -> tuple[str, ...]:
    """The ids of a page, and for features without one what they are: a page that comes again brings nothing new.

    Features of one page that are alike are told apart by their number.
    """
    met = Counter[bytes]()
    found = list[str]()
    for known, text in zip(ids, texts, strict=True):
        key = sha256(text).digest()
        met[key] += 1
        found.append(f"{key.hex()} {met[key]}" if known is None else known)
    return tuple(found)


def is_page(payload: Payload) -> bool:
    """Whether an answer holds features, and no complaint about the question.

    Raises:
        ReadError: it is neither XML nor JSON.
    """
    try:
        FeaturePage.from_payload(payload)
    except ReadError:
        if is_markup(payload.body):
            return not payload.parse(scan_outline).complaint
        decode_answer(payload.body, Any, "the service")
        return False
    return True


def make_completeness(question: FeatureQuery) -> Completeness:
    """What is known of whether all features of the question have come."""
    return Completeness(f"{question.collection} of {question.address}")


def ask_further(
    session: FetchSession, question: FeatureQuery, tally: Completeness, page: Callable[[int], Request]
) -> None:
    """Ask for what comes after all that has come, until nothing new does: no service has to say where its end is.

    Raises:
        FetchError: the service says that there is more, and does not give it.
    """
    while not tally.is_at_end(question.page_size):
        request = replace(page(tally.rows), role=FURTHER)
        try:
            found = [FeaturePage.from_payload(answer) for answer in session.crawl([request]) if answer.found]
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


def _tell(session: FetchSession, tally: Completeness, advice: str) -> None:
    if tally.total is None:
        tally.tell_unproven(session, advice)


class Items:
    """The items of a collection of an OGC API; its next links are followed as they are."""

    def __init__(self, question: FeatureQuery, advertised: str | None = None) -> None:
        self._question, self._tally, self._linked = question, make_completeness(question), False
        self._advertised, self.is_torn = advertised, False

    def crawl(self, session: FetchSession) -> None:
        """Ask for all pages: by their links, and where there are none, by how many came before.

        Raises:
            FetchError: an answer failed, or fewer features came than match.
        """
        fetch_all(session, [self._page()], self._follow)
        if self.is_torn:
            told = note_torn_collection(self._tally.what)
            session.note(told.code, told.text)
        # Where one page has led to the next, the one that leads to none is the last.
        if self._tally.pages and not (self._linked and (self._tally.total is None or self._tally.has_total)):
            ask_further(session, self._question, self._tally, self._page)
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

    def _follow(self, answer: Payload) -> Iterator[Request]:
        page = FeaturePage.from_payload(answer)
        self._check_crs(answer)
        asked = answer.request
        if self._tally.is_torn(page.ids):
            before, self._tally = self._tally, make_completeness(self._question)
            self._tally.attempts = before.attempts + 1
            self.is_torn = self._tally.is_anchored = self._tally.attempts > TRIES
            yield replace(asked, url=resize_page(self._page().url, self._tally.attempts))
            return
        new = self._tally.add(page.ids, page.total, is_cut=page.is_cut)
        if page.next and new:
            self._linked = True
            url = resolve_link(asked.url, page.next, self._advertised, self._question.address)
            yield Request(self._tally.lead_on(url), asked.role, asked.variables, asked.headers)

    def _check_crs(self, answer: Payload) -> None:
        """A server that does not know a parameter may leave it aside: what it answers in, its header says."""
        wanted, said = _address_of(self._question.crs), answer.headers.get("content-crs", "").strip(" <>")
        if wanted and find_epsg(said) != self._question.crs:
            named = f"{find_epsg(said) or 'a system'} ({said})" if said else "longitude and latitude"
            raise ReadError(f"is in {named}, not in {self._question.crs}: leave crs out")


def _address_of(crs: str | None) -> str | None:
    """The name of a reference system in OGC APIs, None where it is the usual one."""
    if crs in {None, "EPSG:4326"}:
        return None
    return f"http://www.opengis.net/def/crs/EPSG/0/{str(crs).removeprefix('EPSG:')}"


def parse_count(text: str | int | None) -> int | None:
    """A number of features; "unknown" is None."""
    try:
        return None if text is None else int(text)
    except ValueError:
        return None
