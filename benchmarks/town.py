"""The one tenant of all scenarios, with sources of files, sensors and places.

Its servers are those of a scenario.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from civitas_assets.catalog import Tenant, load_catalog
from civitas_assets.connectors.registry import SOURCE_MODELS

Figures = dict[str, float]
NOW = datetime(2026, 8, 1, tzinfo=UTC)

TENANT = """
name: Messstadt
ags: "99000097"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  counters:
    title: Counters
    connector: csv
    licence: CC0-1.0
    url: "http://127.0.0.1:{port}/counter.csv"
    http: {{requests_per_second: 200}}
    record_type: observation
    time:
      column: Datetime
      format: "%Y-%m-%d %H:%M"
      zone: local_wall
      fold: summed
      stamp: interval_start
      interval: 15 min
    unpivot: {{columns: '(?P<datastream_id>\\d+) \\((?P<datastream_name>.+)\\)'}}
    constants: {{station_id: "1000", observed_property: traffic.bicycle_count, unit: "1"}}
  sensors:
    title: Sensors
    connector: sensorthings
    licence: CC0-1.0
    url: "http://127.0.0.1:{port}/v1.1"
    http: {{requests_per_second: 200, parallel: 32}}
    slice: 124 days
    page_size: 10000
  places:
    title: Places
    connector: geojson
    licence: CC0-1.0
    url: "http://127.0.0.1:{port}/places.geojson"
    record_type: parking_site
    feature_id: site_id
    fields:
      name: bezeichnung
      capacity: plaetze
      site_type: art
      address: adresse.strasse
      operator: betreiber
      has_fee: gebuehr
    codes:
      site_type: {{Parkhaus: car_park, Parkplatz: off_street, Tiefgarage: underground}}
    ignore: [nr, adresse.ort, stand, hoehe, bemerkung]
  uplinks:
    title: Uplinks
    connector: lorawan
    licence: CC0-1.0
    url: "mqtt://127.0.0.1:{port}"
    queue: {{client_id: civitas, quiet: 1 s}}
    profiles:
      Bodensonde:
        - {{path: feuchte, observed_property: soil.moisture, unit: "%"}}
        - {{path: temperatur, observed_property: soil.temperature, unit: Cel}}
        - {{path: batterie, observed_property: device.battery_voltage, unit: V}}
"""


def tenant_of(folder: Path, port: int = 1) -> Tenant:
    """The tenant, whose servers listen on the port."""
    tenants = folder / "tenants"
    tenants.mkdir(parents=True, exist_ok=True)
    (tenants / "messstadt.yaml").write_text(TENANT.format(port=port), encoding="utf-8")
    return load_catalog(tenants, SOURCE_MODELS).get_tenant("messstadt")
