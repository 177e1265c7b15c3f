"""GeoParquet 1.1, whose types and geometries other programs read back."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from civitas_assets.errors import ExportError
from civitas_assets.export import formats
from civitas_assets.export.geoparquet_format import GeoParquet
from tests.export.conftest import Town

LINE = shapely.LineString([(9.1, 50.1), (9.3, 50.4)])
MOMENT = datetime(2026, 8, 20, 10, tzinfo=UTC)


def opened(content: bytes) -> tuple[pq.ParquetFile, dict[str, Any]]:
    file = pq.ParquetFile(io.BytesIO(content))
    return file, json.loads(file.metadata.metadata[b"geo"])


def test_the_file_says_what_the_standard_asks_for(town: Town) -> None:
    town.put(
        "area_feature",
        {"feature_key": "a", "geometry_wkb": shapely.to_wkb(LINE)},
        {"feature_key": "b", "lon": 8.9, "lat": 50.2},
        {"feature_key": "c"},
    )
    _, geo = opened(town.export("area_feature", GeoParquet()))
    column = geo["columns"]["geometry"]
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    assert column["encoding"] == "WKB"
    assert column["geometry_types"] == ["LineString", "Point"]
    assert column["bbox"] == [8.9, 50.1, 9.3, 50.4]
    assert column["covering"]["bbox"]["ymax"] == ["bbox", "ymax"]
    assert "crs" not in column  # then it is OGC:CRS84


def test_geometries_and_their_boxes_are_read_back(town: Town) -> None:
    town.put(
        "event",
        {"event_key": "a", "geometry_wkb": shapely.to_wkb(LINE), "start_at": MOMENT},
        {"event_key": "b"},
    )
    file, _ = opened(town.export("event", GeoParquet()))
    table = file.read()
    assert shapely.from_wkb(table["geometry"].to_pylist()).tolist() == [LINE, None]
    assert table["bbox"].to_pylist() == [{"xmin": 9.1, "ymin": 50.1, "xmax": 9.3, "ymax": 50.4}, None]
    assert table["start_at"].to_pylist() == [MOMENT, None]
    assert "geometry_wkb" not in table.column_names


def test_columns_keep_their_types_also_without_rows(town: Town) -> None:
    file, geo = opened(town.export("observation", GeoParquet()))
    schema = file.schema_arrow
    assert schema.field("value").type == pa.float64()
    assert schema.field("day").type == pa.date32()
    assert schema.field("phenomenon_start_at").type == pa.timestamp("us", "UTC")
    assert schema.field("geometry").type == pa.binary()
    assert geo["columns"]["geometry"]["geometry_types"] == []
    assert "bbox" not in geo["columns"]["geometry"]


def test_each_batch_is_a_row_group_whose_box_readers_can_skip(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "BATCH", 2048)  # DuckDB gives no smaller ones
    town.put("station", {"station_key": "town:s:1", "lon": 9.1, "lat": 50.1})
    town.put("observation", {"station_key": "town:s:1", "day": date(2026, 8, 20)})
    town.multiply("observation", 5000)
    file, geo = opened(town.export("observation", GeoParquet()))
    assert file.metadata.num_rows == 5000
    assert file.num_row_groups == 3
    places = [file.schema.column(place).path for place in range(len(file.schema))]
    statistics = file.metadata.row_group(1).column(places.index("bbox.xmin")).statistics
    assert statistics.min == statistics.max == 9.1
    assert geo["columns"]["geometry"]["bbox"] == [9.1, 50.1, 9.1, 50.1]


def test_a_model_that_is_nowhere_is_an_error(town: Town) -> None:
    with pytest.raises(ExportError, match="observed_property has no geometry"):
        town.export("observed_property", GeoParquet())
