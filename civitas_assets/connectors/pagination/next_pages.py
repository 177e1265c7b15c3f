"""Documents of free form that come in pages: where one says, or lets work out, which page comes next.

That all has come is proven by `pagination.py`, as for the protocols whose paging a standard fixes.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Self
from urllib.parse import parse_qs, quote, unquote_plus, urlsplit

import msgspec
from pydantic import Field, model_validator

from civitas_assets.catalog import Window
from civitas_assets.catalog.template import expand
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.fetching import check_found, fetch_addresses, fetch_all
from civitas_assets.connectors.mapping.paths import extract_part, validate_path
from civitas_assets.connectors.mapping.projection import Projection
from civitas_assets.connectors.mapping.service_rows import Json, read_members
from civitas_assets.connectors.pagination.links import LinkedSource, resolve_link
from civitas_assets.connectors.pagination.pagination import Completeness, parse_next_link
from civitas_assets.connectors.pagination.partial import KEPT_MEMBERS, is_declared_incomplete
from civitas_assets.errors import FetchError, ReadError

ROLE = "page"  # of an answer that is known to be a part
_LINK, _PAGE, _OFFSET = "@link", "@page", "@offset"
_COUNTED = (_PAGE, _OFFSET)
# As OData and SensorThings call members; JMESPath takes such a name in quotes only.
_ANNOTATION = re.compile(r"@[A-Za-z]+\.[A-Za-z.]+")
_ANY_NUMBER = 1 << 62  # of entities on a page: how many a service gives at most, only its pages tell
_ADVICE = "fetch again, and ask its operator for an order of pages that stands, such as by id"


def _path(text: str) -> str:
    return msgspec.json.encode(text).decode() if _ANNOTATION.fullmatch(text) else text


class PagedSource(LinkedSource):
    """A source whose answers may be pages; what leads from one to the next, its settings say."""

    next: str | None = Field(
        None,
        description=(
            "Path of the next page's address or token in an answer; @link: the header Link; @page, @offset: "
            "next_parameter counts pages, or entities."
        ),
    )
    next_parameter: str | None = Field(
        None, min_length=1, description="Query parameter that takes the token at next, or the number."
    )
    total: str | None = Field(None, description="Path of the number of all entities in an answer.")

    @model_validator(mode="after")
    def _pages_are_known(self) -> Self:
        if self.next is None:
            if self.next_parameter or self.total:
                raise ValueError("next_parameter and total are for pages: say next, or leave them out")
            return self
        if self.has_folder:
            raise ValueError("next leads to further pages, which a dropped file does not have: leave it out")
        if self.next in _COUNTED and self.next_parameter is None:
            raise ValueError(f"next: {self.next} needs next_parameter, such as page or offset")
        if self.next == _LINK and self.next_parameter is not None:
            raise ValueError(f"next: {_LINK} is an address: leave next_parameter out")
        for name in ("next", "total"):
            path = getattr(self, name)
            if path is not None and path not in {_LINK, *_COUNTED}:
                try:
                    validate_path(_path(path))
                except ValueError as error:
                    raise ValueError(f"{name} {error}") from None
        return self

    @property
    def paging_paths(self) -> list[str]:
        """What is read of a document besides its records."""
        named = [self.next if self.next not in {_LINK, *_COUNTED} else None, self.total]
        return [_path(path) for path in named if path is not None]

    def look_at_pages(self, root: Projection) -> None:
        """Count what tells whether a document is whole, and where it goes on."""
        for path in self.paging_paths:
            root.include(path)
        for names in KEPT_MEMBERS:
            place = root
            for name in names:
                place = place.step(name)
            place.number = True

    @abstractmethod
    def extract_page(self, payload: Payload) -> tuple[bytes, Json]:
        """The JSON text of an answer, its body where that is plain, and the one of the list of its outermost records.

        Raises:
            ReadError: it is not what the source declares.
        """
        ...


def fetch_pages(source: PagedSource, window: Window, session: FetchSession) -> None:
    """Ask for every address of the window, and for all pages that it leads to, if the source says how.

    Raises:
        FetchError: an answer failed, none was found, or it is known that something is missing.
    """
    if source.next is None:
        fetch_addresses(source, window, session)
        return
    requests = [
        Request(e.url, role=ROLE, variables=e.variables)
        for e in expand(source.url, source.each, window, source.http.max_pages)
    ]
    # An address or a token may lead to what comes after an entity; a number never does.
    is_anchored = source.next not in _COUNTED
    collections = {request.url: _Pages(request.url, is_anchored=is_anchored) for request in requests}
    waiting = dict(collections)

    def follow(answer: Payload) -> Iterator[Request]:
        pages = waiting.pop(answer.request.url)
        url = pages.after(source, answer)
        if url is not None:
            waiting[url] = pages
            yield replace(answer.request, url=url)

    check_found(requests, fetch_all(session, requests, follow))
    lost = [url for url in waiting if url not in collections]
    if lost and source.next not in _COUNTED:  # counted pages may end with one that is not there
        raise FetchError(f"{lost[0]} was not found, though the page before leads to it: {_ADVICE}")
    for pages in collections.values():
        if source.total is not None and pages.pages and pages.total is None:
            raise FetchError(
                f"{pages.what} has nothing at total, {source.total}: correct it, or leave it out"
            )
        pages.check(_ADVICE)
        if pages.is_doubtful:
            asked = f"does the service know {source.next_parameter}?"
            pages.tell_unproven(
                session,
                asked if source.next in _COUNTED else f"{source.next} is not in the answer: is next right?",
            )


@dataclass
class _Pages(Completeness):
    """The pages of one address."""

    empty: int = 0  # in a row
    is_doubtful: bool = False

    def after(self, source: PagedSource, answer: Payload) -> str | None:
        """The address of the page that comes after this one, None after the last.

        Raises:
            ReadError: the answer is not what the source declares, or leads nowhere that is an address.
        """
        text, records = source.extract_page(answer)
        members = answer.members if text is answer.body else read_members(text)
        entities = _named(msgspec.json.decode(records, type=list[msgspec.Raw]))
        new = self.add(
            entities,
            _total(text, members, source),
            is_cut=is_declared_incomplete(text, is_alone=False, members=members),
        )
        self.empty = 0 if entities else self.empty + 1
        if source.next in _COUNTED:
            return self._counted(source, answer, len(entities), new)
        link = answer.headers.get("link", "")
        target = parse_next_link(link) if source.next == _LINK else _value(text, members, str(source.next))
        if target in (None, "") or target is False:
            alone = self.pages == 1
            self.is_cut = self.is_cut or (alone and is_declared_incomplete(text, link, members=members))
            self.is_doubtful = alone and self.total is None and self.can_be_cut(_ANY_NUMBER)
            return None
        if (entities and not new) or self._is_behind_the_end(len(entities)):
            return None
        if source.next_parameter is not None and isinstance(target, str | int):
            return _with(answer.request.url, source.next_parameter, str(target))
        if isinstance(target, str):
            return resolve_link(answer.request.url, target, source.advertised_url, source.url)
        raise ReadError(
            f"has {msgspec.json.encode(target).decode()[:60]} at next, {source.next}, which is no address: name the "
            "path of the address itself, or next_parameter if it is a token"
        )

    def _is_behind_the_end(self, entities: int) -> bool:
        """Whether a page that leads on has nothing any more.

        One page without entities may lead on, as where a cursor passes what a filter leaves out; after a second one is
        the end.
        """
        return self.empty > 1 or (self.has_total and not entities)

    def _counted(self, source: PagedSource, answer: Payload, entities: int, new: int) -> str | None:
        """The same where pages or entities are counted.

        The last page once more, as services give it beyond their end, is no repetition; the first one once more may be
        all that a service gives that does not know the parameter.
        """
        if entities and not new:
            self.rows -= entities
            self.is_doubtful = self.pages == 2 and not self.has_total
        elif not self.is_at_end(_ANY_NUMBER):
            self.is_cut = False  # what comes next is asked for
            return _with(answer.request.url, str(source.next_parameter), self._count(source, answer))
        self.is_cut = self.is_cut and bool(new)
        return None

    def _count(self, source: PagedSource, answer: Payload) -> str:
        """What the parameter is on the next page; the first page counts as 1 where its address says nothing."""
        given = parse_qs(urlsplit(answer.request.url).query).get(str(source.next_parameter), [""])[-1]
        if source.next == _PAGE:
            return str(int(given or 1) + 1) if (given or "1").isdigit() else "2"
        return str((int(given) if given.isdigit() else 0) + self._last)


def _named(records: list[msgspec.Raw]) -> list[str]:
    """What tells records apart: their text, and for those of one page that are alike their number."""
    met, names = Counter[str](), list[str]()
    for record in records:
        key = sha256(record).hexdigest()
        met[key] += 1
        names.append(f"{key} {met[key]}")
    return names


def _value(text: bytes, members: Mapping[str, msgspec.Raw], path: str) -> Any:
    """What is at the path, None where there is nothing: many services leave the member out on their last page."""
    if _ANNOTATION.fullmatch(path):
        return msgspec.json.decode(members.get(path, b"null"))
    try:
        return msgspec.json.decode(extract_part(text, path, members))
    except ReadError:
        return None


def _total(text: bytes, members: Mapping[str, msgspec.Raw], source: PagedSource) -> int | None:
    """The number of all entities; some services name it on their first page only.

    Raises:
        ReadError: what is at the path is no number.
    """
    found = None if source.total is None else _value(text, members, source.total)
    if found is None:
        return None
    if isinstance(found, bool) or not str(found).isdigit():
        told = msgspec.json.encode(found).decode()[:60]
        raise ReadError(f"has {told} at total, {source.total}, which is no number")
    return int(str(found))


def _with(url: str, name: str, value: str) -> str:
    """The address with this value for the parameter, and all else as it was."""
    address, _, query = url.partition("?")
    others = [part for part in query.split("&") if part and unquote_plus(part.partition("=")[0]) != name]
    own = f"{quote(name, safe='$')}={quote(value, safe='')}"
    return f"{address}?{'&'.join([*others, own])}"
