"""Parking of towns whose interfaces the package parkapi-sources reads: we ask, and it is given what has landed.

What a town is asked is in the table here, so that asking needs no package; a test holds the table against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.model import ADDRESS
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.fetching import fetch_all
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable

Town = Literal[
    "aalen", "bfrk_bw_bike", "bfrk_bw_car", "freiburg", "freiburg_p_r_sensors", "freiburg_p_r_static",
    "freiburg_scanner", "heidelberg_easypark", "herrenberg", "herrenberg_bike", "karlsruhe", "karlsruhe_bike",
    "konstanz", "opendata_swiss", "ulm", "vrn_p_r",
]  # fmt: skip
BOTH = "both"  # role of an answer that has sites and how full they are
STATIC_DATA = "https://raw.githubusercontent.com/ParkenDD/parkapi-static-data/main/sources"
_FREIBURG = "https://geoportal.freiburg.de/wfs"
_FEATURES = "SERVICE=WFS&REQUEST=GetFeature&SRSNAME=EPSG:4326&SERVICE=WFS&VERSION=2.0.0&TYPENAMES"
_KARLSRUHE = (
    "https://mobil.trk.de/geoserver/TBA/ows?service=WFS&version=1.0.0&request=GetFeature&typeName=TBA%3A{}"
    "&outputFormat=application%2Fjson&srsName=EPSG:4326"
)
_KONSTANZ = (
    "https://services.gis.konstanz.digital/geoportal/rest/services/Fachdaten/Parkplaetze_Parkleitsystem/MapServer/0"
    "/query?where=1%3D1&outFields=*&outSR=4326&f=json"
)
_VRN = (
    "https://spatial.vrn.de/data/rest/services/P_R_Sensorik__Realtime_/FeatureServer/0/query"
    "?where=1%3D1&outFields=*&f=geojson"
)


class Asked(NamedTuple):
    """Where the sites are, and where how full they are; none where nobody says it."""

    static: str
    realtime: str | None = None


# As version 0.24.0 of the package asks them: converters of sites that need no secret.
TOWNS: Mapping[Town, Asked] = {
    "aalen": Asked(
        f"{STATIC_DATA}/aalen.geojson",
        "https://www.sw-aalen.de/privatkunden/dienstleistungen/parken/parkhausbelegung.json",
    ),
    "bfrk_bw_bike": Asked("https://bfrk-kat-api.efa-bw.de/bfrk_api/fahrradanlagen"),
    "bfrk_bw_car": Asked("https://bfrk-kat-api.efa-bw.de/bfrk_api/parkplaetze"),
    "freiburg": Asked(
        f"{STATIC_DATA}/freiburg.geojson",
        f"{_FREIBURG}/gdm_pls/gdm_plslive?request=getfeature&service=wfs&version=1.1.0&typename=pls"
        "&outputformat=geojson&srsname=epsg:4326",
    ),
    "freiburg_p_r_sensors": Asked(
        *[f"{_FREIBURG}/gdm_pls/gdm_pls?{_FEATURES}=parkandride_aktuell&OUTPUTFORMAT=geojson&crs=4326"] * 2
    ),
    "freiburg_p_r_static": Asked(
        *[f"{_FREIBURG}/gdm_pls/gdm_pls?{_FEATURES}=parkandride&OUTPUTFORMAT=geojson&crs=4326"] * 2
    ),
    "freiburg_scanner": Asked(
        f"{_FREIBURG}/digit_parken/digit_parken?REQUEST=GetFeature&SRSNAME=EPSG:4326&SERVICE=WFS&VERSION=2.0.0"
        "&TYPENAMES=parkkartierung_mercedes_kanten&OUTPUTFORMAT=geojson"
    ),
    "heidelberg_easypark": Asked(
        "https://ckan.datenplattform.heidelberg.de/de/dataset/fecde4f4-41c0-4c3b-b763-41a84dad39f8/resource/"
        "12e9e778-880a-49a9-90cc-2fbb615f2da6/download/inventory_data_offset-1.json"
    ),
    "herrenberg": Asked(*["https://api.stadtnavi.de/herrenberg/parking/parkapi.json"] * 2),
    "herrenberg_bike": Asked(
        "https://www.munigrid.de/api/dataset/download?key=radabstellanlagen&org=hbg&distribution=geojson"
    ),
    "karlsruhe": Asked(*[_KARLSRUHE.format("parkhaeuser")] * 2),
    "karlsruhe_bike": Asked(_KARLSRUHE.format("fahrradanlagen")),
    "konstanz": Asked(*[_KONSTANZ] * 2),
    "opendata_swiss": Asked("https://data.opentransportdata.swiss/de/dataset/parking-facilities/permalink"),
    "ulm": Asked(f"{STATIC_DATA}/ulm.geojson", "https://www.parken-in-ulm.de"),
    "vrn_p_r": Asked(*[_VRN] * 2),
}


class ParkapiSource(Source):
    """Towns by their name in the package; of their sites, those in the tenant's box."""

    connector: Literal["parkapi"]
    title: str = Field("Parkplätze", min_length=1, description="What the source is.")
    url: str = Field(
        pattern=ADDRESS, description="Address that is asked first; by default that of the first town."
    )
    towns: tuple[Town, ...] = Field(
        min_length=1, description=f"Converters of the package: {', '.join(get_args(Town))}."
    )

    def record_types(self) -> frozenset[str]:
        """Sites, and how full they are."""
        return frozenset({"parking_site", "parking_status"})

    @model_validator(mode="before")
    @classmethod
    def _with_hosts(cls, said: Any) -> Any:
        """The address of the first town, and the hosts of all."""
        if not isinstance(said, Mapping) or not isinstance(towns := said.get("towns"), (list, tuple)):
            return said
        asked = [url for town in towns if town in TOWNS for url in TOWNS[town] if url]
        hosts = dict.fromkeys(urlsplit(url).hostname or "" for url in asked)
        own = said.get("allow_hosts", ())
        found = (*own, *(h for h in hosts if h not in own)) if isinstance(own, (list, tuple)) else own
        return {**({"url": asked[0]} if asked else {}), **said, "allow_hosts": found}


class ParkapiConnector:
    """Fetches what towns publish of parking, and has the package read it."""

    name = "parkapi"
    source_model: type[Source] = ParkapiSource

    def fetch(self, source: ParkapiSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """Sites and status of each town; of one address it is asked once. The window does not matter: it is now."""
        del window, zone
        requests = list[Request]()
        for town in dict.fromkeys(source.towns):
            asked, about = TOWNS[town], {"town": town}
            is_one = asked.static == asked.realtime
            requests.append(Request(asked.static, BOTH if is_one else "static", about))
            if asked.realtime and not is_one:
                requests.append(Request(asked.realtime, "realtime", about))
        fetch_all(session, requests)

    def read(self, source: ParkapiSource, payload: Payload) -> Iterator[RawTable]:
        """What the package's converter of the town makes of the answer.

        Raises:
            ReadError: nothing, or the package is not installed.
        """
        try:
            from civitas_assets.connectors.parkapi.parkapi_reading import read_town  # noqa: PLC0415 - slow, and optional
        except ImportError as error:
            raise ReadError(
                f"needs a package that is not installed ({error.name}): install civitas-assets[parkapi]"
            ) from None
        yield from read_town(payload.variables.get("town", source.towns[0]), payload, source.box)
