"""What a feature service answers: its layer, how many features match, their ids, and the features themselves.

A service reports an error with status 200, so that every answer is looked at for one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import polars as pl

from civitas_assets.connectors.mapping.paths import to_series
from civitas_assets.connectors.mapping.service_rows import decode_answer
from civitas_assets.connectors.vector.vector import Features
from civitas_assets.errors import ReadError
from civitas_assets.records.geometry_forms import build_area

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID, _DATE = "esriFieldTypeOID", "esriFieldTypeDate"
# Codes of Esri's own for systems that have a number of EPSG.
_OWN_CODES = {102100: 3857, 102113: 3857, 900913: 3857}


class Field(msgspec.Struct):
    """A column of a layer."""

    name: str
    type: str = ""


class _Paging(msgspec.Struct, rename="camel"):
    supports_pagination: bool = False


class _Answer(msgspec.Struct, rename="camel"):
    error: Any = None


class Layer(_Answer, rename="camel"):
    """What a layer says of itself."""

    fields: list[Field] | None = None
    object_id_field: str | None = None
    geometry_type: str | None = None
    max_record_count: int | None = None
    advanced_query_capabilities: _Paging | None = None

    @property
    def id_field(self) -> str | None:
        """The column with the number of each feature."""
        by_type = (field.name for field in self.fields or () if field.type == _ID)
        return self.object_id_field or next(by_type, None)

    @property
    def can_page(self) -> bool:
        """Whether it answers page by page."""
        return (
            self.advanced_query_capabilities is not None
            and self.advanced_query_capabilities.supports_pagination
        )


class _Count(_Answer):
    count: int | None = None


class _Ids(_Answer, rename="camel"):
    object_ids: list[int] | None = None


class _System(msgspec.Struct, rename="camel"):
    wkid: int | None = None
    latest_wkid: int | None = None


class _Feature(msgspec.Struct):
    attributes: dict[str, Any] = {}
    geometry: Any = None


class LayerPage(_Answer, rename="camel"):
    """Features of an answer."""

    features: list[_Feature] | None = None
    fields: list[Field] = []
    object_id_field_name: str | None = None
    spatial_reference: _System | None = None
    exceeded_transfer_limit: bool = False

    def list_ids(self, id_field: str | None) -> list[object]:
        """The number of each feature, None for one without."""
        return [feature.attributes.get(id_field or "") for feature in self.features or ()]


def read_layer(body: bytes) -> Layer:
    """What a layer says of itself.

    Raises:
        ReadError: it is no layer, or the service complains.
    """
    found: Layer = _decode(body, Layer)
    if found.fields is None:
        raise ReadError(
            "is no layer of a feature service: url ends with the number of the layer, as in …/FeatureServer/0"
        )
    return found


def read_count(body: bytes) -> int:
    """How many features match.

    Raises:
        ReadError: it is no number, or the service complains.
    """
    found: int | None = _decode(body, _Count).count
    if found is None:
        raise ReadError("is no number of features")
    return found


def read_ids(body: bytes) -> list[int]:
    """The numbers of the features that match, in order.

    Raises:
        ReadError: there are none, or the service complains.
    """
    found = _decode(body, _Ids)
    return sorted(found.object_ids or ())


def read_page(body: bytes) -> LayerPage:
    """The features of an answer.

    Raises:
        ReadError: it has none, or the service complains.
    """
    found: LayerPage = _decode(body, LayerPage)
    if found.features is None:
        raise ReadError("is no answer of a feature service: it has no features")
    return found


def _decode(body: bytes, kind: Any) -> Any:
    found = decode_answer(body, kind, "a feature service")
    if found.error is not None:
        said = found.error if isinstance(found.error, dict) else {"message": found.error}
        details = said.get("details")
        texts = [said.get("message"), *(details if isinstance(details, list) else [])]
        raise ReadError(
            f"reports an error: {said.get('code', '')} {'; '.join(str(t) for t in texts if t)}".strip()
        )
    return found


def build_features(page: LayerPage) -> Features:
    """The features with dates as instants, and geometries in the system that the answer names."""
    features = page.features or []
    names = dict.fromkeys(field.name for field in page.fields)
    names |= dict.fromkeys(name for feature in features for name in feature.attributes)
    dates = {field.name for field in page.fields if field.type == _DATE}
    columns = []
    for name in names:
        values = [feature.attributes.get(name) for feature in features]
        columns.append(to_series(name, [_read_date(v) if name in dates else _read_value(v) for v in values]))
    system = page.spatial_reference
    code = system and (system.latest_wkid or system.wkid)
    ids = page.list_ids(
        page.object_id_field_name or next((f.name for f in page.fields if f.type == _ID), None)
    )
    return Features(
        attributes=pl.DataFrame(height=len(features)).with_columns(columns),
        geometry=pl.Series("geometry", [_read_geometry(f.geometry) for f in features], pl.String),
        ids=None if None in ids else to_series("id", ids),
        crs=f"EPSG:{_OWN_CODES.get(code, code)}" if code else None,
    )


def _read_value(value: Any) -> Any:
    """A value; services write a blank where there is none."""
    return None if isinstance(value, str) and not value.strip() else value


def _read_date(value: Any) -> Any:
    """Milliseconds since 1970 as an instant in UTC; what is none stays what it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _read_value(value)
    try:
        return (_EPOCH + timedelta(milliseconds=value)).isoformat()
    except (OverflowError, ValueError):
        return value


def _read_geometry(shape: Any) -> str | None:
    """A geometry as text, without heights and measures; what is none, such as a curve, as it is written."""
    if not isinstance(shape, Mapping) or not shape or shape.get("x", 0) in {None, "NaN"}:
        return None
    try:
        return _write_shape(shape)
    except (ValueError, TypeError, KeyError, IndexError):
        return msgspec.json.encode(shape).decode()


def _write_shape(shape: Mapping[str, Any]) -> str | None:
    """The same; None for empty lists.

    Raises:
        ValueError: it is a curve, or another shape that nobody knows.
    """
    if "x" in shape:
        return _write_geojson("Point", _plane([shape["x"], shape["y"]]))
    if shape.get("points"):
        return _write_geojson("MultiPoint", [*map(_plane, shape["points"])])
    if shape.get("paths"):
        return _write_geojson("MultiLineString", [[*map(_plane, path)] for path in shape["paths"]])
    if shape.get("rings"):
        return build_area([[*map(_plane, ring)] for ring in shape["rings"]])
    if {"points", "paths", "rings"}.isdisjoint(shape):
        raise ValueError(f"is no shape: {', '.join(shape)}")
    return None


def _write_geojson(kind: str, coordinates: object) -> str:
    return msgspec.json.encode({"type": kind, "coordinates": coordinates}).decode()


def _plane(point: Sequence[Any]) -> tuple[float, float]:
    return float(point[0]), float(point[1])
