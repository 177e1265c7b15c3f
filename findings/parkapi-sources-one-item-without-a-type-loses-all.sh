#!/usr/bin/env bash
# The converters of parkapi-sources return what they could read and what they could not. That of the VRN does not come to it where the
# type of one site is null, which its own model of the input allows: an AttributeError ends it, and the other sites are lost.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q "parkapi-sources==0.24.0"
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import json
from unittest.mock import Mock

from parkapi_sources import ParkAPISources

print("parkapi-sources", importlib.metadata.version("parkapi-sources"))


def feature(number, kind):
    properties = {
        "original_uid": f"p{number}", "vrn_sensor_id": number, "name": "P+R", "type": kind, "lat": 49.5, "lon": 8.5,
        "capacity": 10, "has_realtime_data": "ja", "opening_hours": "Mo-So: 24 Stunden", "park_and_ride_type": "ja",
    }
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [8.5, 49.5]}, "properties": properties}


def read(*features):
    converter = ParkAPISources(config={}, converter_uids=["vrn_p_r"]).converter_by_uid["vrn_p_r"]
    body = {"type": "FeatureCollection", "features": list(features)}
    converter.request_get = lambda **_: Mock(json=lambda: json.loads(json.dumps(body)))
    return converter.get_static_parking_sites()


sites, faults = read(feature(1, "Parkplatz"))
print("one site:", len(sites), "read,", [str(fault)[:160] for fault in faults])
assert len(sites) == 1
try:
    sites, faults = read(feature(1, "Parkplatz"), feature(2, None))
except AttributeError as error:
    print("and one without a type: AttributeError -", error)
else:
    raise SystemExit(f"{len(sites)} read and {len(faults)} told now: this has changed")
PYTHON
