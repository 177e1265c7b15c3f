"""Whether a collection that comes in pages has come whole: one notion of it for all protocols that page.

How a protocol names its totals, links and ids, its own module knows. That a page leads to no other one proves nothing:
the end is proven by an empty page, by a page that brings nothing new, or by a total that is reached on a short page.
Where pages are counted by entities, each begins with the last one of the page before: if entities go meanwhile, those
behind them move up, and the first ones of the next page would be in none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from civitas_assets.connectors.base import Session
from civitas_assets.connectors.page_address import one_before
from civitas_assets.connectors.rows import head_of, members_of
from civitas_assets.errors import FetchError, Note

END_UNPROVEN = "end_unproven"
TRIES = 3  # from the beginning, where entities go while they are read; once more without overlapping
# Ceilings of servers are round numbers: so many rows, or a multiple of them, may be where one has cut.
_ROUND = 10
_EXCEEDED = re.compile(rb'"exceededTransferLimit"\s*:\s*true')
_FLAGS = (
    *("truncated", "isTruncated", "is_truncated", "incomplete", "partial", "hasMore", "has_more", "hasNext"),
    *("has_next", "hasNextPage", "has_next_page", "moreResults", "more_results"),
)
# Addresses of further pages: Django REST, JSON:API, OData, HAL, Laravel, and others; some give their number.
NEXT_MEMBERS = (
    *("next", "nextLink", "next_link", "nextPage", "next_page", "next_url", "nextUrl", "next_page_url"),
    *("nextPageUrl", "nextPageLink", "next_href", "nextHref", "@odata.nextLink", "@nextLink"),
)
# Tokens of further pages, which go into a parameter of the next question; the first ones lead nowhere else.
_ONWARD = (
    *("next_cursor", "nextCursor", "next_token", "nextToken", "nextPageToken", "next_page_token"),
    *("continuationToken", "continuation_token"),
)
TOKENS = (*_ONWARD, "cursor", "endCursor", "end_cursor", "scroll_id", "after")
TOTALS = (
    *("numberMatched", "totalFeatures", "total_count", "totalCount", "totalResults", "totalItems", "nhits"),
    *("totalElements", "total_elements", "total_results", "total_items", "totalRecords", "total_records"),
    *("@odata.count", "odata.count"),
)
_PAGE_COUNTS = (
    "totalPages",
    "total_pages",
    "pageCount",
    "page_count",
    "last_page",
    "lastPage",
    "num_pages",
    "nbPages",
)
# Beside which a total is one of rows.
_PAGED = frozenset({"limit", "offset", "start", "page", "per_page", "pageSize", "page_size", "size"})
ABOUT = (
    *(
        "meta",
        "_meta",
        "metadata",
        "pagination",
        "paging",
        "pageInfo",
        "page_info",
        "page",
        "links",
        "_links",
    ),
    "result",
)
_ADDRESS = re.compile(rb'"(?:https?:|/|\?)|\{[^{}]*"href"\s*:\s*"')
_REL_NEXT = re.compile(rb'"rel"\s*:\s*"next"')
_NOTHING = frozenset({b"null", b'""', b"false", b"0"})
_LINK_NEXT = re.compile(r'<([^>]*)>[^<]*\brel\s*=\s*"?next\b')
# Where an answer may say that it is not all, without an address: what is kept of it where little is.
KEPT_MEMBERS = (
    *((name,) for name in (*_FLAGS, *TOTALS, "exceededTransferLimit")),
    *(
        (about, name)
        for about in (*ABOUT, "properties")
        for name in (*_FLAGS, *TOTALS, "exceededTransferLimit")
    ),
)


@dataclass
class Completeness:
    """What has come of one collection, page by page; entities without an id count as rows.

    `total` is the smallest number that the server named: entities come and go while pages are read, so many were there
    all the time. `is_cut` says that the last page calls itself incomplete, `overlaps` that the next one is asked to
    begin with the last entity that has come, and `is_anchored` that nothing is in no page because others have gone;
    `attempts` is how often all was asked for from the beginning.
    """

    what: str
    rows: int = 0
    unnamed: int = 0
    pages: int = 0
    total: int | None = None
    is_cut: bool = False
    ids: set[str] = field(default_factory=set)
    attempts: int = 1
    overlaps: bool = False
    is_anchored: bool = False
    _most: int = 0  # that a page ever named
    _fewer: int | None = None  # that a later page named
    _last: int = 0
    _longest: int = 0
    _new: int = 0

    @property
    def received(self) -> int:
        """How many different entities have come."""
        return len(self.ids) + self.unnamed

    @property
    def repeated(self) -> int:
        """How many entities have come more than once."""
        return self.rows - self.received

    @property
    def twice(self) -> str:
        """What a message says of that; empty where none has."""
        return f" ({self.repeated} of {self.rows} came more than once)" if self.repeated else ""

    @property
    def has_total(self) -> bool:
        """Whether the server named a total, and so many have come."""
        return self.total is not None and self.received >= self.total

    def add(self, ids: Iterable[object], total: int | None = None, *, is_cut: bool = False) -> int:
        """Count a page by the ids of its entities, None for one without; how many of them were not there before."""
        before, keys = self.received, [None if key is None else str(key) for key in ids]
        again = self.overlaps and bool(keys) and keys[0] in self.ids
        self.pages, self.rows, self._last = self.pages + 1, self.rows + len(keys) - again, len(keys)
        self.overlaps = False
        self._longest = max(self._longest, len(keys))
        self.unnamed += keys.count(None)
        self.ids.update(key for key in keys if key is not None)
        if total is not None:
            self.total = total if self.total is None else min(self.total, total)
            if total < self._most:
                self._fewer = total
            self._most = max(self._most, total)
        self.is_cut = is_cut
        self._new = self.received - before
        return self._new

    def lead_on(self, url: str) -> str:
        """The address of the next page, so that it begins with the last entity that has come, where it counts them.

        Not so where entities have no ids, or have gone so often that another try is of no use.
        """
        before = one_before(url)
        if before is None or self.attempts > TRIES or self.unnamed or self._longest < 2:
            return url
        self.overlaps = self.is_anchored = True
        return before

    def is_torn(self, ids: Sequence[object]) -> bool:
        """Whether entities may be missing before this page: it was to begin with one that is known, and does not."""
        return self.overlaps and not (ids and str(ids[0]) in self.ids)

    def is_at_end(self, asked: int) -> bool:
        """Whether what has come proves that there is no more; `asked` is how many a page may hold.

        A total that is reached is believed only on a page that is shorter than one was: a server may count no
        further than it delivers.
        """
        if not self._new:
            return True
        short = self._last < min(asked, self._longest)
        return self.has_total and short and not self.is_cut

    def may_be_cut(self, asked: int) -> bool:
        """Whether the last page could be cut."""
        return may_be_cut(self._last, asked)

    def check(self, advice: str) -> None:
        """Nothing, unless it is known that something is missing.

        Raises:
            FetchError: fewer came than the server counts, some came more than once without such a count, or the server
                says itself that there is more.
        """
        if self.total is not None and self.received < self.total:
            raise FetchError(f"{self.what}: {self.received} of {self.total} came{self.twice}: {advice}")
        if self.total is None and self.repeated and self.pages > 1:
            raise FetchError(
                f"{self.what}: {self.repeated} of {self.rows} came more than once, so that others may be missing: "
                f"{advice}"
            )
        if self._fewer is not None and not self.is_anchored:
            raise FetchError(
                f"{self.what}: {self._most} entities became {self._fewer} while its pages were read, so that others "
                f"may be missing: {advice}"
            )
        if self.is_cut:
            raise FetchError(
                f"{self.what}: {self.received} came, and the server says that there are more: {advice}"
            )

    def tell_unproven(self, session: Session, advice: str) -> None:
        """Note that nobody can tell whether all has come."""
        session.note(
            END_UNPROVEN,
            f"{self.what}: {self.received} came; the service names neither a total nor a further page, and answers no "
            f"question for what comes after these, so that more may be missing: {advice}",
        )


def torn_note(what: str) -> Note:
    """The note on a collection whose entities went whenever it was read."""
    return Note(
        END_UNPROVEN,
        f"{what}: entities have gone {TRIES} times in a row while its pages were read, so that others may be missing: "
        "fetch these days again, or ask for more on a page",
    )


def may_be_cut(rows: int, asked: int) -> bool:
    """Whether a page of so many rows holds as many as were asked for, or as a server's own ceiling could be."""
    return rows > 0 and (rows >= asked or rows % _ROUND == 0)


def next_link(header: str) -> str | None:
    """The address of the next page that the header Link of an answer names (RFC 8288, section 3)."""
    found = _LINK_NEXT.search(header)
    return found[1].strip() if found else None


def header_total(headers: Mapping[str, str]) -> int | None:
    """How many entities there are by the headers X-Total-Count, or Content-Range such as `items 0-19/900`."""
    said = headers.get("x-total-count") or headers.get("content-range", "").rpartition("/")[2]
    return int(said) if said.strip().isdecimal() else None


def says_incomplete(
    body: bytes, link: str = "", *, is_alone: bool = True, members: Mapping[str, msgspec.Raw] | None = None
) -> bool:
    """Whether an answer says itself that it is not all; `link` is its header of that name.

    `members` are those of the body, where they are known already.

    It says so by a flag (ArcGIS anywhere, others at the top or below `meta`), and one that is asked for alone also by
    the address of a further page, or by a total that is larger than its longest list.
    """
    if (b"exceededTransferLimit" in body and _EXCEEDED.search(body)) or (
        is_alone and _LINK_NEXT.search(link)
    ):
        return True
    top = members_of(body) if members is None else members
    inner = [members_of(top[name]) for name in ABOUT if name in top]
    if any(bytes(part[name]) == b"true" for part in (top, *inner) for name in _FLAGS if name in part):
        return True
    return is_alone and (any(map(_leads_on, (top, *inner))) or _names_more(top, inner))


def _leads_on(members: Mapping[str, msgspec.Raw]) -> bool:
    """Whether one of the members is the address, token or number of a further page, or a number of several."""
    targets = [bytes(members[name]) for name in NEXT_MEMBERS if name in members]
    tokens = (bytes(members[name]) for name in _ONWARD if name in members)
    numbers = (bytes(members[name]) for name in ("next_page", "nextPage", *_PAGE_COUNTS) if name in members)
    listed = bytes(members["links"]) if "links" in members else b""
    return (
        any(map(_ADDRESS.match, targets))
        or any(token not in _NOTHING for token in tokens)
        or any(number.isdigit() and int(number) > 1 for number in numbers)
        or bool(_REL_NEXT.search(listed))
    )


def _names_more(top: Mapping[str, msgspec.Raw], inner: Sequence[Mapping[str, msgspec.Raw]]) -> bool:
    """Whether a total is larger than the longest list of the document; `total` alone may be about anything."""
    totals = [
        int(bytes(value))
        for members in (top, *inner)
        for name, value in members.items()
        if (name in TOTALS or (name == "total" and not _PAGED.isdisjoint(members))) and bytes(value).isdigit()
    ]
    if not totals:
        return False
    longest = max(_length(value) for members in (top, *inner) for value in members.values())
    return max(totals) > longest > 0


def _length(value: msgspec.Raw) -> int:
    """How many elements a list has; none of anything else."""
    return len(msgspec.json.decode(value, type=list[msgspec.Raw])) if head_of(value, 1) == b"[" else 0
