"""The simplest way to fetch: one request for every address that the source's template stands for.

Documents in pages are in `next_pages.py`; protocols with pages or discovery have their own way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.template import expand
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.mapping.described_file import DESCRIPTION, resolve_address
from civitas_assets.errors import FetchError


def fetch_addresses(source: Source, window: Window, session: FetchSession) -> None:
    """Ask for every address of the window, or take the files that wait in the source's folder.

    Where the source has a `link`, an address says where the file is, and that is asked for, too.

    Raises:
        FetchError: an answer failed, or nothing at all was found.
    """
    if source.has_folder:
        session.land_dropped_files()
        return
    is_described = source.link is not None
    requests = [
        Request(e.url, role=DESCRIPTION if is_described else "data", variables=e.variables)
        for e in expand(source.url, source.each, window, source.http.max_pages)
    ]
    check_found(requests, fetch_all(session, requests, _follow_description if is_described else None))


def fetch_all(
    session: FetchSession,
    requests: Iterable[Request],
    follow: Callable[[Payload], Iterable[Request]] | None = None,
) -> int:
    """Ask for all of these and for what they lead to, as `FetchSession.crawl` does; how many were found.

    Raises:
        FetchError: after all others were served.
    """
    return sum(answer.found for answer in session.crawl(requests, follow))


def _follow_description(answer: Payload) -> Iterator[Request]:
    if answer.request.role == DESCRIPTION and answer.found:
        url = resolve_address(answer.request.url, answer.body)
        yield replace(answer.request, url=url, role="data")


def check_found(requests: Sequence[Request], found: int) -> None:
    """Nothing, unless there were requests of which none was found.

    Raises:
        FetchError: so it is.
    """
    if requests and not found:
        raise FetchError(
            f"none of {len(requests)} address(es) was found, the first is {requests[0].url}: "
            "check url and each"
        )
