"""All connectors by name: a new protocol is one module and one line here.

Each is imported when it is asked for, because what their protocols need takes seconds to import.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TypeVar

from civitas_assets.catalog import Source
from civitas_assets.connectors.base import Connector

T = TypeVar("T")

# By name, the class in its module beside this one.
_PLACES: Mapping[str, str] = {
    "csv": "csv.CsvConnector",
    "datex2": "datex2.Datex2Connector",
    "dwd": "dwd.DwdConnector",
    "eco_counter": "eco_counter.EcoCounterConnector",
    "excel": "excel.ExcelConnector",
    "gbfs": "gbfs.GbfsConnector",
    "geofile": "geofile.GeoFileConnector",
    "geojson": "geojson.GeoJsonConnector",
    "json": "json.JsonConnector",
    "lorawan": "lorawan.LorawanConnector",
    "ngsi_ld": "ngsi_ld.NgsiLdConnector",
    "ogc_features": "ogc_features.OgcFeaturesConnector",
    "opensensemap": "opensensemap.OpenSenseMapConnector",
    "pegelonline": "pegelonline.PegelonlineConnector",
    "sensor_community": "sensor_community.SensorCommunityConnector",
    "sensorthings": "sensorthings.SensorThingsConnector",
    "sql": "sql.SqlConnector",
    "uba": "uba.UbaConnector",
}


@cache
def _load_connector(name: str) -> Connector:
    module, _, made = _PLACES[name].partition(".")
    connector: Connector = getattr(importlib.import_module(f"civitas_assets.connectors.{module}"), made)()
    return connector


class _Loaded(Mapping[str, T]):
    """By name of a connector, what `read` makes of it, once it is asked for."""

    def __init__(self, read: Callable[[Connector], T]) -> None:
        self._read = read

    def __getitem__(self, name: str) -> T:
        return self._read(_load_connector(name))

    def __contains__(self, name: object) -> bool:
        return name in _PLACES

    def __iter__(self) -> Iterator[str]:
        return iter(_PLACES)

    def __len__(self) -> int:
        return len(_PLACES)


CONNECTORS: Mapping[str, Connector] = _Loaded(lambda connector: connector)

SOURCE_MODELS: Mapping[str, type[Source]] = _Loaded(lambda connector: connector.source_model)
