"""The features of a type in a Web Feature Service: how many there are, and page by page what they are.

What an answer says of itself, and whether all has come, is in `ogc_features_pages.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.content.markup import scan_outline
from civitas_assets.connectors.fetching import fetch_all
from civitas_assets.connectors.ogc_features.ogc_features_pages import (
    HITS,
    PAGE,
    FeaturePage,
    FeatureQuery,
    ask_further,
    make_completeness,
    parse_count,
)
from civitas_assets.connectors.pagination.pagination import END_UNPROVEN, FURTHER
from civitas_assets.errors import FetchError, ReadError

BBOX_TURNED = "bbox_turned"
# By these names the latitude comes first, and the longitude.
_NORTH_EAST, _EAST_NORTH = "urn:ogc:def:crs:EPSG::4326", "EPSG:4326"


class WebFeatures:
    """The features of a type in a WFS: version 2.0 in pages, version 1.1 in one answer."""

    def __init__(self, question: FeatureQuery, *, paged: bool, role: str = PAGE) -> None:
        self._question, self._paged, self._role = question, paged, role
        self._tally = make_completeness(question)

    def crawl(self, session: FetchSession) -> None:
        """Ask how many features there are, then for them, and for more than there should be.

        A service that finds nothing in the box may take its numbers in the other order.

        Raises:
            FetchError: an answer failed, or fewer features came than match.
        """
        self._crawl(session)
        wanted = self._question
        if self._tally.rows or wanted.box is None or "bbox" in wanted.given or wanted.bbox_order != "auto":
            return
        turned = WebFeatures(replace(wanted, bbox_order="east_north"), paged=self._paged, role=FURTHER)
        try:
            turned._crawl(session)
        except (FetchError, ReadError):
            if turned._tally.rows:
                raise
        if turned._tally.rows:
            session.note(
                BBOX_TURNED,
                f"{self._tally.what}: nothing was found in bbox with the latitude first, as the standard has it, "
                "so it was asked for with the longitude first; set bbox_order: east_north",
            )

    def _crawl(self, session: FetchSession) -> None:
        tally, size = self._tally, self._question.page_size
        tally.total = self._hits(session)
        fetch_all(session, [self._page(0)], self._follow)
        if self._paged:
            if tally.pages:
                ask_further(session, self._question, tally, self._page)
            tally.check("set sort_by to an attribute that is unique, or a larger page_size")
            return
        if tally.rows and tally.rows < size:
            # Not of the standard, but several services know it, and count no further than they deliver.
            ask_further(session, self._question, tally, self._page)
        tally.check("version 1.1 has no pages; set a larger page_size, or api: wfs2")
        if tally.rows >= size:
            limit = f"{tally.what}: {tally.rows} features came, which is the limit"
            advice = "set a larger page_size, or api: wfs2"
            if tally.total is None:
                raise FetchError(f"{limit}: {advice}")
            session.note(
                END_UNPROVEN, f"{limit}, and the service counts no more, which it may do up to it: {advice}"
            )

    def _hits(self, session: FetchSession) -> int | None:
        """How many features match, if the service says; in its pages many services do not."""
        request = self._question.request(self._question.address, self._parameters(resultType="hits"), HITS)
        try:
            (said,) = [scan_outline(answer.body).attributes for answer in session.crawl([request])]
        except (FetchError, ReadError):
            return None
        return parse_count(said.get("numberMatched" if self._paged else "numberOfFeatures"))

    def _page(self, start: int) -> Request:
        wanted, size = self._question, str(self._question.page_size)
        paging = {"sortBy": wanted.sort_by, "count": size, "startIndex": str(start)}
        more = self._parameters(
            outputFormat=wanted.format,
            srsName=_name_of(wanted.crs),
            **(paging if self._paged else {"maxFeatures": size, "startIndex": str(start) if start else None}),
        )
        return wanted.request(wanted.address, more, self._role)

    def _parameters(self, **more: str | None) -> dict[str, str | None]:
        wanted, box = self._question, None
        if wanted.box is not None:
            west, south, east, north = wanted.box
            turned = wanted.bbox_order == "east_north"
            numbers = (west, south, east, north) if turned else (south, west, north, east)
            system = _EAST_NORTH if turned else _NORTH_EAST
            box = ",".join(f"{degrees:.7g}" for degrees in numbers) + f",{system}"
        return {
            "service": "WFS",
            "version": "2.0.0" if self._paged else "1.1.0",
            "request": "GetFeature",
            "typeNames" if self._paged else "typeName": wanted.collection,
            "bbox": box,
            "cql_filter": wanted.filter,
            **more,
        }

    def _follow(self, answer: Payload) -> Iterator[Request]:
        page, tally = FeaturePage.from_payload(answer), self._tally
        # What a page says of the total may be the number of its own features: hits go before.
        new = tally.add(
            page.ids, page.total if self._paged and tally.total is None else None, is_cut=page.is_cut
        )
        full = len(page.ids) >= self._question.page_size or page.next is not None
        more = not tally.has_total if tally.total is not None else full
        # Members are counted, since what an answer says of their number may be wrong.
        if self._paged and new and more:
            yield self._page(tally.rows)


def _name_of(crs: str | None) -> str | None:
    return None if crs is None else f"urn:ogc:def:crs:EPSG::{crs.removeprefix('EPSG:')}"
