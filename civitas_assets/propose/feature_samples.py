"""Files of features as samples: GeoPackage, Shapefile, KML, GML, GeoParquet and plain Parquet.

The connector's own reader reads them; of a file with several layers or files, the fullest one is proposed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import polars as pl

from civitas_assets.catalog import Box
from civitas_assets.connectors.base import Payload, Request
from civitas_assets.connectors.files.geofile import GeoFileConnector
from civitas_assets.connectors.vector.vector_faults import ManyParts, WithoutIds, WithoutReferenceSystem
from civitas_assets.errors import ReadError
from civitas_assets.propose.crs_detection import SYSTEMS, measure_share_inside
from civitas_assets.propose.sample import FEATURE_ID, MOST_RECORDS, Sample, build_columns, shorten_names
from civitas_assets.propose.sample_columns import SampleColumn
from civitas_assets.records.geometry import measure_extents, parse_geometry_column

_FEW_PARTS = 12


def read_features_sample(body: bytes, box: Box) -> Sample:
    """A file of features, plain or in a ZIP archive.

    Raises:
        ReadError: it is damaged, or none that the connector reads.
    """
    try:
        return _sample(body, box, {})
    except ManyParts as several:
        names, setting = several.names, several.setting
    found = dict[str, Sample]()
    for name in names[:_FEW_PARTS]:
        try:
            found[name] = _sample(body, box, {setting: name})
        except ReadError:
            continue
    if not found:
        raise ReadError(f"has {shorten_names(names)}, none of which can be read")
    best = max(found, key=lambda name: found[name].rows)
    others = [name for name in names if name != best]
    remark = f"there are more in the file, each of which is a source of its own: {shorten_names(others)}"
    chosen = found[best]
    return Sample(
        chosen.connector, chosen.settings, chosen.columns, chosen.rows, chosen.points, chosen.shapes, chosen.crs,
        chosen.doubts, remarks=[*chosen.remarks, remark],
    )  # fmt: skip


def _sample(body: bytes, box: Box, settings: Mapping[str, Any]) -> Sample:
    try:
        return _placed(_read(body, settings), settings, {})
    except WithoutReferenceSystem:
        pass
    for system in SYSTEMS:
        sample = _placed(_read(body, {**settings, "crs": system}), {**settings, "crs": system}, {})
        if measure_share_inside(sample.points, "EPSG:4326", box) > 0.5:
            doubts = {"crs": "the file names none with an EPSG code; this one brings it near the tenant"}
            return Sample(
                sample.connector, sample.settings, sample.columns, sample.rows, sample.points, sample.shapes,
                sample.crs, doubts,
            )  # fmt: skip
    raise ReadError("names no reference system, and none that is usual brings it near the tenant: set crs")


def _placed(frame: pl.DataFrame, settings: Mapping[str, Any], doubts: Mapping[str, str]) -> Sample:
    rows = frame.head(MOST_RECORDS)
    columns = build_columns([msgspec.json.decode(text) if text else {} for text in rows["attributes"]])
    # The connector names attributes as they are; a path is not known to it.
    columns = [SampleColumn(_bare(column.name), column.values) for column in columns]
    if "place_id" in frame.columns and rows["place_id"].null_count() == 0:
        columns.append(SampleColumn(FEATURE_ID, tuple(rows["place_id"].cast(pl.String).to_list())))
    found = parse_geometry_column(rows["geometry"], str(settings.get("crs", "EPSG:4326")))
    pairs = zip(found.lon.to_list(), found.lat.to_list(), strict=True)
    points = [(lon, lat) for lon, lat in pairs if lon is not None and lat is not None]
    shapes = frozenset(measure_extents(found.wkb)["kind"].drop_nulls().to_list())
    return Sample("geofile", settings, columns, frame.height, points, shapes, "EPSG:4326", doubts)


def _bare(path: str) -> str:
    return str(msgspec.json.decode(path)) if path.startswith('"') and path.endswith('"') else path


def _read(body: bytes, settings: Mapping[str, Any]) -> pl.DataFrame:
    """All attributes as JSON, the geometry, and the id of each feature where there is one."""
    connector = GeoFileConnector()
    payload = Payload(Request(""), body, datetime.now(UTC))
    given = {
        "connector": "geofile", "title": "Sample", "licence": "proprietary", "url": "https://sample.example",
        "record_type": "place", "rest": "attributes", **settings,
    }  # fmt: skip
    for more in ({"feature_id": "place_id"}, {}):
        try:
            (table,) = connector.read(connector.source_model.model_validate({**given, **more}), payload)  # type: ignore[arg-type]
        except WithoutIds:
            if not more:
                raise
            continue
        return table.frame
    raise AssertionError
