"""All connectors by name: a new protocol is one module and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from civitas_assets.catalog import Source
from civitas_assets.connectors.base import Connector
from civitas_assets.connectors.csv import CsvConnector
from civitas_assets.connectors.datex2 import Datex2Connector
from civitas_assets.connectors.dwd import DwdConnector
from civitas_assets.connectors.eco_counter import EcoCounterConnector
from civitas_assets.connectors.excel import ExcelConnector
from civitas_assets.connectors.gbfs import GbfsConnector
from civitas_assets.connectors.geofile import GeoFileConnector
from civitas_assets.connectors.geojson import GeoJsonConnector
from civitas_assets.connectors.json import JsonConnector
from civitas_assets.connectors.lorawan import LorawanConnector
from civitas_assets.connectors.ngsi_ld import NgsiLdConnector
from civitas_assets.connectors.ogc_features import OgcFeaturesConnector
from civitas_assets.connectors.opensensemap import OpenSenseMapConnector
from civitas_assets.connectors.pegelonline import PegelonlineConnector
from civitas_assets.connectors.sensor_community import SensorCommunityConnector
from civitas_assets.connectors.sensorthings import SensorThingsConnector
from civitas_assets.connectors.sql import SqlConnector
from civitas_assets.connectors.uba import UbaConnector

CONNECTORS: Mapping[str, Connector] = {
    connector.name: connector
    for connector in (
        CsvConnector(),
        Datex2Connector(),
        DwdConnector(),
        EcoCounterConnector(),
        ExcelConnector(),
        GbfsConnector(),
        GeoFileConnector(),
        GeoJsonConnector(),
        JsonConnector(),
        LorawanConnector(),
        NgsiLdConnector(),
        OgcFeaturesConnector(),
        OpenSenseMapConnector(),
        PegelonlineConnector(),
        SensorCommunityConnector(),
        SensorThingsConnector(),
        SqlConnector(),
        UbaConnector(),
    )
}

SOURCE_MODELS: Mapping[str, type[Source]] = {name: c.source_model for name, c in CONNECTORS.items()}
