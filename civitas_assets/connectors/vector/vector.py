"""Features: attributes and a geometry each, whatever file or service they come from, and how they become rows.

Reading them out of bytes is in the modules of the formats, `vector_gdal.py` and its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal, Self, TypeGuard

import polars as pl
from pydantic import Field, model_validator

from civitas_assets.catalog.model import Slug
from civitas_assets.connectors.content.extent import check_extent
from civitas_assets.connectors.mapping.attributes import (
    AttributeSource,
    list_wanted_attributes,
    select_attributes,
)
from civitas_assets.connectors.mapping.missing import note_missing_fields
from civitas_assets.connectors.vector.vector_faults import WithoutIds, WithoutReferenceSystem
from civitas_assets.errors import ReadError
from civitas_assets.records import Note, RawTable
from civitas_assets.records.geometry import add_crs, is_northing_first, parse_geometry_column, swap_axes
from civitas_assets.records.geometry_forms import find_position
from civitas_assets.records.position import widen_box

_GEOMETRY = "geometry"
_SAMPLE = 100  # geometries that tell for all whether coordinates are degrees


AxisOrder = Literal["by_name", "east_north", "north_east"]


@dataclass(frozen=True)
class Features:
    """Features of one layer.

    `geometry` is as `records.geometry` reads it, in `crs`; where the data names no reference system, `crs` is
    None, and `usual` what its format then means; `unknown_crs` is a name that nobody knows. `complete`
    says that every feature has all attributes, `either_order` that what names the system leaves open which axis is
    first.
    """

    attributes: pl.DataFrame
    geometry: pl.Series
    ids: pl.Series | None = None
    crs: str | None = None
    usual: str | None = None
    unknown_crs: str | None = None
    complete: bool = False
    either_order: bool = False
    notes: tuple[Note, ...] = ()

    def with_attributes(self, attributes: pl.DataFrame) -> Self:
        """The same features with other attributes."""
        return replace(self, attributes=attributes)

    def with_axis_order(self, order: AxisOrder) -> Self:
        """The same features, of which nothing but the tenant's file may say that the northing is written first."""
        return replace(self, geometry=swap_axes(self.geometry)) if order == "north_east" else self


class VectorSource(AttributeSource):
    """A source of features. Its `crs`, if set, has to be that of the data; else the data says it."""

    feature_id: Slug | None = Field(None, description="Field that takes the id of the feature itself.")

    axis_order: AxisOrder = Field(
        "by_name",
        description="Which coordinate the data writes first, where it is not as the name of their reference system "
        "has it: of GML and GeoJSON.",
    )

    @model_validator(mode="after")
    def _feature_id_is_a_field(self) -> Self:
        if self.feature_id is not None and self.feature_id not in self.contract.accepted:
            raise ValueError(f"feature_id is no field; allowed: {', '.join(self.contract.accepted)}")
        return self

    @property
    def expected_crs(self) -> str | None:
        """The reference system that the tenant's file demands, None if it leaves that to the data."""
        return self.crs if "crs" in self.model_fields_set else None


def build_feature_rows(source: VectorSource, features: Features) -> RawTable:
    """The features as rows of the source's record type.

    Raises:
        ReadError: their reference system is unknown or not the expected one, something named is not there, or they are
            more than the operator lets be.
    """
    check_extent(source.frame, features.attributes.height, features.attributes.width)
    features = _turned_into_town(source, features)
    frame, unknown = select_attributes(source, features.attributes, complete=features.complete)
    if source.feature_id is not None:
        if features.ids is None:
            raise WithoutIds("has no ids of features: map an attribute instead of feature_id")
        frame = frame.with_columns(features.ids.alias(source.feature_id))
    if _GEOMETRY in source.contract.accepted and _GEOMETRY not in source.fields:
        frame = frame.with_columns(_placed(source, features).alias(_GEOMETRY))
    notes = features.notes
    if features.attributes.height:
        missing = {
            f: n for f, n in list_wanted_attributes(source).items() if n not in features.attributes.columns
        }
        notes += note_missing_fields(source, missing, features.attributes.columns)
    return RawTable(source.record_type, frame, unknown, notes=notes)


def _turned_into_town(source: VectorSource, features: Features) -> Features:
    """The features with their axes turned where only so they are near the tenant, and nothing says their order."""
    crs, box = features.crs or source.expected_crs, source.box
    if not features.either_order or crs is None or box is None or not is_northing_first(crs):
        return features
    sample = features.geometry.drop_nulls().head(_SAMPLE)
    near = [
        parse_geometry_column(add_crs(order, crs), crs).find_touching(widen_box(box))
        for order in (sample, swap_axes(sample))
    ]
    if near[0].any() or not near[1].any():
        return features
    text = (
        f"geometries in {crs} lie in town only with the northing first, so they are read so: "
        "set axis_order: north_east"
    )
    found = features.with_axis_order("north_east")
    return replace(found, notes=(*found.notes, Note("axes_turned", text)))


def _placed(source: VectorSource, features: Features) -> pl.Series:
    """The geometries, which name their reference system where it is not that of the source."""
    geometry, expected = features.geometry, source.expected_crs
    if geometry.null_count() == len(geometry):
        return geometry
    if features.crs and expected and features.crs != expected:
        raise ReadError(f"is in {features.crs}, but the source says {expected}: correct crs, or leave it out")
    crs = features.crs or expected or features.usual
    if crs is None and features.unknown_crs:
        raise ReadError(f"names the reference system {features.unknown_crs}, which is not known: set crs")
    if crs is None:
        raise WithoutReferenceSystem("names no reference system with an EPSG code: set crs")
    if features.crs is None and expected is None:
        check_degrees((), geometry.head(_SAMPLE).to_list())
    return geometry if crs == source.crs else add_crs(geometry, crs)


def check_degrees(points: Sequence[tuple[object, object]], shapes: Sequence[object]) -> None:
    """Refuse coordinates that are plainly no degrees, of data in which nothing says what they are.

    Raises:
        ReadError: none of the first positions could be one.
    """
    seen = [(x, y) for x, y in points[:_SAMPLE] if _is_number(x) and _is_number(y)]
    for shape in shapes[:_SAMPLE]:
        with suppress(ValueError):
            seen += filter(None, [find_position(shape)])
    if seen and all(abs(x) > 180 or abs(y) > 90 for x, y in seen):
        x, y = seen[0]
        raise WithoutReferenceSystem(
            f"has coordinates such as {x:.7g}, {y:.7g}, which are no degrees, and names no reference system: "
            "set crs, such as EPSG:25832"
        )


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
