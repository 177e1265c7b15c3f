"""Record types: the typed contracts that everything read is brought into, and how text becomes typed.

Protocols, stores and shared models are elsewhere.
"""

from collections.abc import Mapping

from civitas_assets.errors import Note
from civitas_assets.records.area_feature import AREA_FEATURE
from civitas_assets.records.charge_point import CHARGE_POINT
from civitas_assets.records.charge_point_status import CHARGE_POINT_STATUS
from civitas_assets.records.contract import PROVENANCE, Column, ColumnKind, Companion, RecordType
from civitas_assets.records.council_paper import COUNCIL_PAPER
from civitas_assets.records.datastream import DATASTREAM
from civitas_assets.records.energy_unit import ENERGY_UNIT
from civitas_assets.records.event import EVENT
from civitas_assets.records.observation import OBSERVATION
from civitas_assets.records.parking_site import PARKING_SITE
from civitas_assets.records.parking_status import PARKING_STATUS
from civitas_assets.records.place import PLACE
from civitas_assets.records.raw import BrokenRow, RawTable, Roster
from civitas_assets.records.sharing_station import SHARING_STATION
from civitas_assets.records.sharing_status import SHARING_STATUS
from civitas_assets.records.station import STATION
from civitas_assets.records.statistic import STATISTIC
from civitas_assets.records.transit_delay import TRANSIT_DELAY
from civitas_assets.records.transit_route import TRANSIT_ROUTE
from civitas_assets.records.transit_service import TRANSIT_SERVICE
from civitas_assets.records.transit_stop import TRANSIT_STOP
from civitas_assets.records.tree import TREE
from civitas_assets.records.weather_forecast import WEATHER_FORECAST

RECORD_TYPES: Mapping[str, RecordType] = {
    record_type.name: record_type
    for record_type in (
        OBSERVATION,
        STATION,
        DATASTREAM,
        PARKING_SITE,
        PARKING_STATUS,
        SHARING_STATION,
        SHARING_STATUS,
        CHARGE_POINT,
        CHARGE_POINT_STATUS,
        PLACE,
        AREA_FEATURE,
        EVENT,
        STATISTIC,
        TRANSIT_STOP,
        TRANSIT_ROUTE,
        TRANSIT_SERVICE,
        TRANSIT_DELAY,
        COUNCIL_PAPER,
        ENERGY_UNIT,
        WEATHER_FORECAST,
        TREE,
    )
}

__all__ = [
    "PROVENANCE",
    "RECORD_TYPES",
    "BrokenRow",
    "Column",
    "ColumnKind",
    "Companion",
    "Note",
    "RawTable",
    "RecordType",
    "Roster",
]
