"""What an answer says of itself: that it is not all, and what leads to the rest of it.

Services name that in many ways; here are their words. How pages are followed is in `next_pages.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from civitas_assets.connectors.mapping.service_rows import read_members, read_text_start
from civitas_assets.connectors.pagination.pagination import parse_next_link

_JSON = re.compile(rb"(?:\xef\xbb\xbf)?[\s\x1e]*[{\[]")
_EXCEEDED = re.compile(rb'"exceededTransferLimit"\s*:\s*true')
_FLAGS = ("truncated", "isTruncated", "is_truncated", "incomplete", "partial")
_MORE = (
    *("hasMore", "has_more", "hasNext", "has_next", "hasNextPage", "has_next_page", "moreResults"),
    "more_results",
)
# What says with `false` that there is more: Spring, GBIF, Salesforce, and others.
_ENDS = (
    *("last", "isLast", "is_last", "isLastPage", "is_last_page", "lastPage", "endOfRecords", "done"),
    *("complete", "isComplete", "is_complete"),
)
# Addresses of further pages: Django REST, JSON:API, OData, HAL, Laravel, and others; some give their number.
NEXT_MEMBERS = (
    *("next", "nextLink", "next_link", "nextPage", "next_page", "next_url", "nextUrl", "next_page_url"),
    *("nextPageUrl", "nextPageLink", "next_href", "nextHref", "@odata.nextLink", "@nextLink"),
    *("odata.nextLink", "__next", "nextRecordsUrl"),
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
    *("@odata.count", "odata.count", "__count", "numFound", "recordsTotal", "total_rows", "totalRows"),
    *("total_entries", "totalEntries"),
)
_PAGE_COUNTS = (
    *(
        "totalPages",
        "total_pages",
        "pageCount",
        "page_count",
        "last_page",
        "lastPage",
        "num_pages",
        "nbPages",
    ),
)
# Beside which a total is one of rows.
_PAGED = frozenset(
    {
        "limit",
        "offset",
        "start",
        "page",
        "per_page",
        "pageSize",
        "page_size",
        "size",
        "hits",
        "perPage",
        "skip",
    }
)
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
    *("result", "results", "response", "data", "hits", "d"),
)
_ADDRESS = re.compile(rb'"(?:https?:|/|\?)|\{[^{}]*"href"\s*:\s*"')
_REL_NEXT = re.compile(rb'"rel"\s*:\s*"next"')
_NOTHING = frozenset({b"null", b'""', b"false", b"0"})
_SAYING = (*_FLAGS, *_MORE, *_ENDS, *TOTALS, "exceededTransferLimit")
# Where an answer may say that it is not all, without an address: what is kept of it where little is.
KEPT_MEMBERS = (
    *((name,) for name in _SAYING),
    *((about, name) for about in (*ABOUT, "properties") for name in _SAYING),
)


def is_json_text(body: bytes) -> bool:
    """Whether a text begins as JSON with members or elements does."""
    return _JSON.match(body) is not None


def is_declared_incomplete(
    body: bytes, link: str = "", *, is_alone: bool = True, members: Mapping[str, msgspec.Raw] | None = None
) -> bool:
    """Whether an answer says itself that it is not all; `link` is its header of that name.

    `members` are those of the body, where they are known already.

    It says so by a flag (ArcGIS anywhere, others at the top or below `meta`), and one that is asked for alone also by
    a page that is not the last, the address of a further one, or a total that is larger than its longest list.
    """
    if is_alone and parse_next_link(link):
        return True
    if not is_json_text(body):
        return False
    if b"exceededTransferLimit" in body and _EXCEEDED.search(body):
        return True
    top = read_members(body) if members is None else members
    inner = [read_members(top[name]) for name in ABOUT if name in top]
    flags = [(_FLAGS, b"true"), *([(_MORE, b"true"), (_ENDS, b"false")] if is_alone else ())]
    for names, said in flags:
        if any(bytes(part[name]) == said for part in (top, *inner) for name in names if name in part):
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
        int(number)
        for members in (top, *inner)
        for name, value in members.items()
        if name in TOTALS or (name == "total" and not _PAGED.isdisjoint(members))
        # Of Elasticsearch, an object.
        if (number := bytes(read_members(value).get("value", value))).isdigit()
    ]
    if not totals:
        return False
    longest = max(_length(value) for members in (top, *inner) for value in members.values())
    return max(totals) > longest > 0


def _length(value: msgspec.Raw) -> int:
    """How many elements a list has; none of anything else."""
    return len(msgspec.json.decode(value, type=list[msgspec.Raw])) if read_text_start(value, 1) == b"[" else 0
