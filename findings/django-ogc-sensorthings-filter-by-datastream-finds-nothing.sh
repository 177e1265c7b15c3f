#!/usr/bin/env bash
# A SensorThings server answers a filter by the id of the Datastream with 200 and no observation, though it has one: only
# the address below the Datastream leads to it. A client that asks so takes what is there for missing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q "django-ogc-sensorthings==1.2.0"
mkdir "$folder/project"
printf 'from django.urls import include, path\nurlpatterns = [path("sta/", include("sensorthings.versions.v1_1.urls"))]\n' > "$folder/project/urls.py"
cd "$folder/project"
"$folder/venv/bin/python" - <<'PYTHON'
import json
import uuid

from django.conf import settings

name = "SENSORTHINGS_V1_1_"
settings.configure(
    SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF="urls", USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}},
    INSTALLED_APPS=["sensorthings.versions.v1_1", "sensorthings.versions.v1_1.backends.django"],
    **{f"{name}SERVICE_URL": "http://testserver/sta", f"{name}ID_TYPE": uuid.UUID, f"{name}ID_DELIMITER": "'",
       f"{name}BACKEND_ADAPTER": "sensorthings.versions.v1_1.backends.django.adapter.DjangoBackendAdapter"},
)
import django

django.setup()
from django.core.management import call_command
from django.test import Client

call_command("migrate", verbosity=0)
client, root = Client(), "/sta/v1.1"
thing = {
    "name": "t", "description": "t",
    "Locations": [{"name": "l", "description": "l", "encodingType": "application/geo+json",
                   "location": {"type": "Point", "coordinates": [7.5, 51.5]}}],
    "Datastreams": [{
        "name": "d", "description": "d", "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
        "unitOfMeasurement": {"name": "x", "symbol": "x", "definition": "urn:x"},
        "Sensor": {"name": "s", "description": "s", "encodingType": "text/html", "metadata": "-"},
        "ObservedProperty": {"name": "p", "definition": "urn:p", "description": "p"},
        "Observations": [{"phenomenonTime": "2026-07-01T00:00:00Z", "resultTime": "2026-07-01T00:00:00Z", "result": 1.5}],
    }],
}
made = client.post(f"{root}/Things", json.dumps(thing), content_type="application/json")
assert made.status_code == 201, made.content
stream = client.get(f"{root}/Datastreams").json()["value"][0]["@iot.id"]
below = client.get(f"{root}/Datastreams('{stream}')/Observations")
print("below the Datastream:", below.status_code, len(below.json()["value"]))
assert len(below.json()["value"]) == 1
found = client.get(f"{root}/Observations", {"$filter": f"Datastream/id eq '{stream}'"})
print("filter by its id:", found.status_code, len(found.json()["value"]))
assert (found.status_code, found.json()["value"]) == (200, []), "it is found: this has changed"
PYTHON
