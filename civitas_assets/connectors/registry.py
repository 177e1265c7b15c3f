"""All connectors by name: a new protocol is a module or a package, and one line here.

Each is imported when it is asked for, because what their protocols need takes seconds to import. A deployment's own
come from packages beside this one, by the entry points of the group `civitas_assets.connectors`.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TypeVar

from civitas_assets.catalog import Source
from civitas_assets.connectors.base import Connector
from civitas_assets.errors import SettingsError

T = TypeVar("T")

GROUP = "civitas_assets.connectors"

# By name, the class in its module below this package.
_PLACES: Mapping[str, str] = {
    "arcgis": "arcgis.arcgis.ArcgisConnector",
    "autobahn": "services.autobahn.AutobahnConnector",
    "bnetza_charging": "services.bnetza_charging.BnetzaChargingConnector",
    "brightsky": "services.brightsky.BrightskyConnector",
    "csv": "files.csv.CsvConnector",
    "datex2": "datex2.datex2.Datex2Connector",
    "dwd": "services.dwd.DwdConnector",
    "dwd_mosmix": "services.dwd_mosmix.DwdMosmixConnector",
    "dwd_warnings": "services.dwd_warnings.DwdWarningsConnector",
    "eco_counter": "services.eco_counter.EcoCounterConnector",
    "excel": "files.excel.ExcelConnector",
    "gbfs": "gbfs.gbfs.GbfsConnector",
    "genesis": "services.genesis.GenesisConnector",
    "geofile": "files.geofile.GeoFileConnector",
    "geojson": "files.geojson.GeoJsonConnector",
    "gtfs": "gtfs.gtfs.GtfsConnector",
    "gtfs_rt": "gtfs_rt.gtfs_rt.GtfsRtConnector",
    "hystreet": "services.hystreet.HystreetConnector",
    "ical": "ical.ical.IcalConnector",
    "json": "files.json.JsonConnector",
    "lorawan": "lorawan.lorawan.LorawanConnector",
    "mastr": "services.mastr.MastrConnector",
    "mqtt": "mqtt.mqtt_connector.MqttConnector",
    "ngsi_ld": "ngsi.ngsi_ld.NgsiLdConnector",
    "ocpi": "ocpi.ocpi.OcpiConnector",
    "ogc_features": "ogc_features.ogc_features.OgcFeaturesConnector",
    "oparl": "oparl.oparl.OparlConnector",
    "opensensemap": "services.opensensemap.OpenSenseMapConnector",
    "parkapi": "parkapi.parkapi.ParkapiConnector",
    "pegelonline": "services.pegelonline.PegelonlineConnector",
    "sensor_community": "services.sensor_community.SensorCommunityConnector",
    "sensorthings": "sensorthings.sensorthings.SensorThingsConnector",
    "sql": "sql.sql.SqlConnector",
    "uba": "services.uba.UbaConnector",
}


@cache
def _own() -> Mapping[str, importlib.metadata.EntryPoint]:
    """The connectors that installed packages bring, by name.

    Raises:
        SettingsError: two have the same name, or one has that of a connector that is here already.
    """
    found: dict[str, importlib.metadata.EntryPoint] = {}
    for entry in importlib.metadata.entry_points(group=GROUP):
        if entry.name in _PLACES or found.get(entry.name, entry).value != entry.value:
            raise SettingsError({GROUP: f"there are two connectors {entry.name}; one is {entry.value}"})
        found[entry.name] = entry
    return found


@cache
def _load_connector(name: str) -> Connector:
    if name not in _PLACES:
        return _load_own(name)
    module, _, made = _PLACES[name].rpartition(".")
    connector: Connector = getattr(importlib.import_module(f"civitas_assets.connectors.{module}"), made)()
    return connector


def _load_own(name: str) -> Connector:
    entry = _own()[name]
    try:
        connector: Connector = entry.load()()
    except Exception as error:
        raise SettingsError(
            {GROUP: f"{name} ({entry.value}) cannot be loaded: {type(error).__name__}: {error}"}
        ) from error
    lacking = [part for part in ("name", "source_model", "fetch", "read") if not hasattr(connector, part)]
    if lacking or connector.name != name or not issubclass(connector.source_model, Source):
        said = (
            f"lacks {', '.join(lacking)}" if lacking else "has another name, or a source_model that is none"
        )
        raise SettingsError({GROUP: f"{name} ({entry.value}) is no connector: it {said}"})
    return connector


def locate_connector(name: str) -> str | None:
    """The file of a connector's module, seen from the folder of the project; none of one that a package brings."""
    module = _PLACES.get(name, "").rpartition(".")[0]
    return f"civitas_assets/connectors/{module.replace('.', '/')}.py" if module else None


class _Loaded(Mapping[str, T]):
    """By name of a connector, what `read` makes of it, once it is asked for."""

    def __init__(self, read: Callable[[Connector], T]) -> None:
        self._read = read

    def __getitem__(self, name: str) -> T:
        return self._read(_load_connector(name))

    def __contains__(self, name: object) -> bool:
        return name in _PLACES or name in _own()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*_PLACES, *_own()}))

    def __len__(self) -> int:
        return len(_PLACES) + len(_own())


CONNECTORS: Mapping[str, Connector] = _Loaded(lambda connector: connector)

SOURCE_MODELS: Mapping[str, type[Source]] = _Loaded(lambda connector: connector.source_model)
