"""OGC API Features and the Web Feature Service, versions 2.0 and 1.1: features of one collection, page by page.

How a result is asked for and when it is whole is in `ogc_features_pages.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.template import expand
from civitas_assets.connectors.base import FetchSession, Payload
from civitas_assets.connectors.content.markup import is_markup, scan_outline
from civitas_assets.connectors.content.text_encoding import to_utf8
from civitas_assets.connectors.mapping.attributes import list_wanted_attributes
from civitas_assets.connectors.mapping.mapping import SelectiveSource
from civitas_assets.connectors.mapping.projection import Each, Projection, project_document
from civitas_assets.connectors.ogc_features.ogc_features_pages import (
    HITS,
    BboxOrder,
    FeatureQuery,
    Items,
    is_page,
)
from civitas_assets.connectors.ogc_features.ogc_features_wfs import WebFeatures
from civitas_assets.connectors.pagination.links import LinkedSource
from civitas_assets.connectors.pagination.pagination import FURTHER
from civitas_assets.connectors.vector.vector import VectorSource, build_feature_rows
from civitas_assets.connectors.vector.vector_gdal import read_gml
from civitas_assets.connectors.vector.vector_geojson import read_geojson
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable
from civitas_assets.records.geometry import is_northing_first

_WINDOW = "window"


class OgcFeaturesSource(LinkedSource, VectorSource, SelectiveSource):
    """A collection of a service; `url` is the root of the API, or the address of the WFS without its parameters."""

    connector: Literal["ogc_features"]
    api: Literal["oaf", "wfs2", "wfs11"] = Field(
        "oaf", description="OGC API Features, or the Web Feature Service in version 2.0 or 1.1."
    )
    collection: str = Field(
        min_length=1, description="Id of the collection, or the feature type with its prefix."
    )
    page_size: int = Field(1000, ge=1, le=100_000, description="Features of one request.")
    within_bbox: bool = Field(True, description="Whether to ask for the tenant's bbox only.")
    filter: str | None = Field(
        None, description="Which features: CQL2 as text, or what a WFS takes as cql_filter."
    )
    datetime: str | None = Field(
        None, description="For oaf: a time or interval as the standard has it, or window for the run's days."
    )
    sort_by: str | None = Field(
        None, description="For wfs2: attribute that keeps the order of pages, such as gml:id."
    )
    format: str | None = Field(
        None, description="For WFS: outputFormat, some GML or GeoJSON; by default the service's own GML."
    )

    bbox_order: BboxOrder = Field(
        "auto",
        description="For WFS: which coordinate of the bbox comes first; auto: the latitude, and where that finds "
        "nothing, the longitude.",
    )

    @property
    def asks_for_days(self) -> bool:
        """See `Source`."""
        return self.datetime == _WINDOW or super().asks_for_days

    @model_validator(mode="after")
    def _fits_its_api(self) -> Self:
        of_wfs = ("wfs2", "wfs11")
        for name, apis in (
            *(("datetime", ("oaf",)), ("sort_by", ("wfs2",)), ("format", of_wfs), ("bbox_order", of_wfs)),
        ):
            if getattr(self, name) not in {None, "auto"} and self.api not in apis:
                raise ValueError(f"{name} has no meaning with api: {self.api}")
        if self.api != "oaf" and self.filter is not None and self.within_bbox:
            raise ValueError("filter and bbox exclude each other in a WFS: set within_bbox: false")
        crs = self.expected_crs
        if self.api == "oaf" and crs not in {None, "EPSG:4326"} and is_northing_first(str(crs)):
            raise ValueError(f"crs {crs} has its northing first, as few services do alike: leave crs out")
        if self.store == "mapped" and self.rest is not None:
            raise ValueError(
                "rest keeps every attribute, store: mapped only those that are named: leave one out"
            )
        return self

    def redact_answer(self, role: str, body: bytes) -> bytes:
        """See `catalog.Source`; a number of features holds nothing of them."""
        return body if role == HITS else super().redact_answer(role, body)

    def project_answer(self, body: bytes) -> bytes:
        """See `SelectiveSource`; what leads from page to page is kept beside the features."""
        if is_markup(body):
            complaint = scan_outline(body).complaint
            raise ReadError(
                f"reports an error: {complaint}"
                if complaint
                else "is GML, of which nothing can be left out: set format to the service's GeoJSON"
            )
        root, named = Projection(), {*self.fields.values()}
        if self.time is not None and self.time.column is not None:
            named.add(self.time.column)
        for member in ("type", "crs", "links", "numberMatched", "numberReturned", "totalFeatures"):
            root.step(member).whole = True
        for flag in ("exceededTransferLimit", "properties.exceededTransferLimit"):
            root.include(flag)
        feature = root.step("features").step(Each.ITEM)
        for member in ("type", "id", "geometry"):
            feature.step(member).whole = True
        for name in named:
            feature.step("properties").step(name).whole = True
        return project_document(to_utf8(body), root)


class OgcFeaturesConnector:
    """Fetches and reads features of OGC services."""

    name = "ogc_features"
    source_model: type[Source] = OgcFeaturesSource

    def fetch(self, source: OgcFeaturesSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """All pages of the collection, one after another."""
        when = source.datetime
        if when == _WINDOW:
            when = "/".join(f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in window.to_instants(zone))
        for expansion in expand(source.url, source.each, window, source.http.max_pages):
            question = FeatureQuery(
                address=expansion.url,
                variables=expansion.variables,
                collection=source.collection,
                page_size=source.page_size,
                box=source.box if source.within_bbox else None,
                crs=source.expected_crs,
                filter=source.filter,
                datetime=when,
                sort_by=source.sort_by,
                format=source.format,
                given=frozenset(source.query),
                bbox_order=source.bbox_order,
            )
            if source.api == "oaf":
                Items(question, source.advertised_url).crawl(session)
            else:
                WebFeatures(question, paged=source.api == "wfs2").crawl(session)

    def read(self, source: OgcFeaturesSource, payload: Payload) -> Iterator[RawTable]:
        """One table for a page of features; geometries of any kind stay in the reference system of the answer."""
        if payload.role == HITS:
            payload.parse(scan_outline)
        elif payload.role == FURTHER and not is_page(payload):
            return
        elif source.api != "oaf" and is_markup(payload.body):
            document = payload.parse(scan_outline)
            found = read_gml(
                payload.body, document, None, source.collection, source.axis_order, frame=source.frame
            )
            yield build_feature_rows(source, found)
        else:
            wanted = None if source.rest is not None else {*list_wanted_attributes(source).values()}
            found = read_geojson(payload.body, payload.members, wanted, source.frame)
            yield build_feature_rows(source, found.with_axis_order(source.axis_order))
