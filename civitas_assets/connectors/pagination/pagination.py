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

from civitas_assets.connectors.base import FetchSession
from civitas_assets.connectors.pagination.links import step_back
from civitas_assets.errors import FetchError, Note

END_UNPROVEN = "end_unproven"
FURTHER = "further"  # the role of an answer to a question that a service need not understand
TRIES = 3  # from the beginning, where entities go while they are read; once more without overlapping
# Ceilings of servers are round numbers: so many rows, or a multiple of them, may be where one has cut.
_ROUND = 10
_LINK_NEXT = re.compile(r'<([^>]*)>[^<]*\brel\s*=\s*"?next\b')


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
        before = step_back(url)
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

    def can_be_cut(self, asked: int) -> bool:
        """Whether the last page could be cut."""
        return can_be_cut(self._last, asked)

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

    def tell_unproven(self, session: FetchSession, advice: str) -> None:
        """Note that nobody can tell whether all has come."""
        session.note(
            END_UNPROVEN,
            f"{self.what}: {self.received} came; the service names neither a total nor a further page, and answers no "
            f"question for what comes after these, so that more may be missing: {advice}",
        )


def note_torn_collection(what: str) -> Note:
    """The note on a collection whose entities went whenever it was read."""
    return Note(
        END_UNPROVEN,
        f"{what}: entities have gone {TRIES} times in a row while its pages were read, so that others may be missing: "
        "fetch these days again, or ask for more on a page",
    )


def can_be_cut(rows: int, asked: int) -> bool:
    """Whether a page of so many rows holds as many as were asked for, or as a server's own ceiling could be."""
    return rows > 0 and (rows >= asked or rows % _ROUND == 0)


def parse_next_link(header: str) -> str | None:
    """The address of the next page that the header Link of an answer names (RFC 8288, section 3)."""
    found = _LINK_NEXT.search(header)
    return found[1].strip() if found else None


def parse_total(headers: Mapping[str, str]) -> int | None:
    """How many entities there are by the headers X-Total-Count, or Content-Range such as `items 0-19/900`."""
    said = headers.get("x-total-count") or headers.get("content-range", "").rpartition("/")[2]
    return int(said) if said.strip().isdecimal() else None


def check_all(lists: Iterable[Completeness], advice: str) -> None:
    """Check each of several collections, and name all that have not come whole.

    Raises:
        FetchError: some have not.
    """
    failures = list[str]()
    for pages in lists:
        try:
            pages.check(advice)
        except FetchError as error:
            failures.append(str(error))
    if failures:
        raise FetchError("; ".join(failures))
