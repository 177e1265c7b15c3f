"""ArcGIS feature services: the features of a layer up to its real end, page by page or by their numbers.

What answers look like is in `arcgis_answers.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.template import Expansion, expand
from civitas_assets.connectors.arcgis.arcgis_answers import (
    Layer,
    build_features,
    read_count,
    read_ids,
    read_layer,
    read_page,
)
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.fetching import fetch_all
from civitas_assets.connectors.pagination.pagination import Completeness
from civitas_assets.connectors.vector.vector import VectorSource, build_feature_rows
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable

_LAYER, _COUNT, _IDS, _PAGE = "layer", "count", "ids", "features"


class ArcgisSource(VectorSource):
    """A layer or table; `url` is its address, as in …/FeatureServer/0."""

    connector: Literal["arcgis"]
    where: str = Field("1=1", min_length=1, description="Which features: a condition as SQL has it.")
    page_size: int = Field(
        1000, ge=1, le=100_000, description="Features of one request; a service may give fewer."
    )
    within_bbox: bool = Field(True, description="Whether to ask for the tenant's bbox only.")


class ArcgisConnector:
    """Fetches and reads layers of feature services."""

    name = "arcgis"
    source_model: type[Source] = ArcgisSource

    def fetch(self, source: ArcgisSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """The layer, how many features match, and all of them."""
        for expansion in expand(source.url, source.each, window, source.http.max_pages):
            _Layer(source, expansion).crawl(session)

    def read(self, source: ArcgisSource, payload: Payload) -> Iterator[RawTable]:
        """One table for a page of features; what leads to them is only checked."""
        if payload.role == _LAYER:
            read_layer(payload.body)
        elif payload.role == _COUNT:
            read_count(payload.body)
        elif payload.role == _IDS:
            read_ids(payload.body)
        else:
            found = build_features(read_page(payload.body))
            yield build_feature_rows(source, found.with_axis_order(source.axis_order))


class _Layer:
    """One layer, and what of it has come."""

    def __init__(self, source: ArcgisSource, expansion: Expansion) -> None:
        self._source, self._variables = source, expansion.variables
        address, _, self._query = expansion.url.partition("?")
        self._address = address.rstrip("/")
        self._tally, self._layer = Completeness(self._address), Layer()

    def crawl(self, session: FetchSession) -> None:
        """Ask for everything.

        Raises:
            FetchError: an answer failed, or fewer features came than match.
        """
        fetch_all(session, [self._request(self._address, {}, _LAYER)], self._follow)
        self._tally.check("the service's paging is at fault; try another page_size")

    def _follow(self, answer: Payload) -> Iterator[Request]:
        role, body = answer.request.role, answer.body
        if role == _LAYER:
            self._layer = read_layer(body)
            yield self._ask({"returnCountOnly": "true"}, _COUNT)
        elif role == _COUNT:
            self._tally.total = read_count(body)
            if not self._tally.total:
                return
            if self._layer.can_page:
                yield self._ask_page(0)
            elif self._layer.id_field is None:
                yield self._ask({"outFields": "*"}, _PAGE)
            else:
                yield self._ask({"returnIdsOnly": "true"}, _IDS)
        elif role == _IDS:
            yield from self._ask_ranges(read_ids(body))
        else:
            page = read_page(body)
            ids = page.list_ids(self._layer.id_field)
            new = self._tally.add(ids, is_cut=page.exceeded_transfer_limit)
            # A service that cuts without saying so is told by its own number.
            if self._layer.can_page and new and (page.exceeded_transfer_limit or not self._tally.has_total):
                yield self._ask_page(self._tally.rows)

    @property
    def _size(self) -> int:
        return max(1, min(self._source.page_size, self._layer.max_record_count or self._source.page_size))

    def _ask_page(self, offset: int) -> Request:
        return self._ask(
            {
                "outFields": "*",
                "orderByFields": self._layer.id_field,  # without an order pages may overlap
                "resultOffset": str(offset),
                "resultRecordCount": str(self._size),
            },
            _PAGE,
        )

    def _ask_ranges(self, ids: list[int]) -> Iterator[Request]:
        """Features by ranges of their numbers, each of which holds no more than one answer may."""
        if not ids:
            raise ReadError("has features that match, and no numbers of them")
        name = self._layer.id_field
        for start in range(0, len(ids), self._size):
            part = ids[start : start + self._size]
            within = f"{name} >= {part[0]} AND {name} <= {part[-1]}"
            yield self._ask({"outFields": "*", "where": f"({self._source.where}) AND {within}"}, _PAGE)

    def _ask(self, parameters: Mapping[str, str | None], role: str) -> Request:
        asked: dict[str, str | None] = {"where": self._source.where}
        if self._layer.geometry_type and self._source.within_bbox and self._source.box is not None:
            asked |= {
                "geometry": ",".join(f"{degrees:.7g}" for degrees in self._source.box),
                "geometryType": "esriGeometryEnvelope",
                "inSR": "4326",
                "spatialRel": "esriSpatialRelIntersects",
            }
        asked |= parameters
        if self._layer.geometry_type and role == _PAGE:
            system = (self._source.expected_crs or "EPSG:4326").removeprefix("EPSG:")
            asked |= {"outSR": system, "returnZ": "false", "returnM": "false", "returnTrueCurves": "false"}
        return self._request(f"{self._address}/query", asked, role)

    def _request(self, address: str, parameters: Mapping[str, str | None], role: str) -> Request:
        given = [self._query] if self._query else []
        given += [
            f"{name}={quote(value, safe=',')}" for name, value in parameters.items() if value is not None
        ]
        return Request(f"{address}?{'&'.join([*given, 'f=json'])}", role=role, variables=self._variables)
