"""Which requests of one fetch are sent: each address once, and no more than the source allows."""

from __future__ import annotations

from civitas_assets.catalog import Source
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.transport.prepared_request import sanitize_url
from civitas_assets.errors import FetchError


class Admission:
    """What was asked for in a fetch of the source."""

    def __init__(self, source: Source) -> None:
        self._source, self._requested = source, set[str]()

    def admit(self, request: Request) -> str:
        """The request's address, without secrets.

        Raises:
            FetchError: it was asked for before, since a page loop ends in an error and not in the ceiling of
                somebody's patience; or there were as many as the source allows.
        """
        address = str(sanitize_url(request.url, self._source))  # a link may repeat a secret
        if address in self._requested:
            raise FetchError(f"{address} is asked for a second time in one fetch: its links run in a circle")
        if len(self._requested) >= self._source.http.max_pages:
            raise FetchError(
                f"more than {self._source.http.max_pages} requests: raise http.max_pages if that is right"
            )
        self._requested.add(address)
        return address
