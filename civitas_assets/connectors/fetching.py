"""The simplest way to fetch: one request for every address that the source's template stands for.

Documents in pages are in `next_pages.py`; protocols with pages or discovery have their own way.
"""

from __future__ import annotations

from collections.abc import Sequence

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.template import expand
from civitas_assets.connectors.base import FetchSession, Request
from civitas_assets.errors import FetchError


def fetch_addresses(source: Source, window: Window, session: FetchSession) -> None:
    """Ask for every address of the window, or take the files that wait in the source's folder.

    Raises:
        FetchError: an answer failed, or nothing at all was found.
    """
    if source.dropped is not None:
        session.land_dropped_files()
        return
    requests = [
        Request(e.url, variables=e.variables)
        for e in expand(source.url, source.each, window, source.http.max_pages)
    ]
    check_found(requests, sum(answer.found for answer in session.crawl(requests)))


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
