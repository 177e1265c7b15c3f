"""The documents of a package are what the registry of CIVITAS/CORE takes, and its tables are those that were meant.

The schemas say in short what those of the registry demand: datastructure, datasource, mapping, datasink and pipeline in
model-forge-runtime of open-urban-apps-civitascore/civitas-core-platform, August 2026.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from civitas_assets.catalog.model import Tenant
from civitas_assets.dictionary.contracts import Contract, ModelColumn
from civitas_assets.errors import ExportError
from civitas_assets.opendata.core_package import Polling, build_core_package


def urn(*kinds: str) -> dict[str, Any]:
    kind = "|".join(kinds)
    return {"type": "string", "pattern": f"^urn:core:[^:]+:[^:]+:({kind}):[^:]+:[^:]+:[^:]+(:[^:]+)?$"}


def closed(required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object", "required": required.split(), "properties": properties, "additionalProperties": False,
    }  # fmt: skip


TEXT, MAYBE = {"type": "string"}, {"type": ["string", "null"]}
ELEMENT = urn("datastructure", "element")
PATH = {"type": "string", "pattern": r"^\$\."}
NODES = ("start", "cron", "source", "mapping", "sink", "end")
SCHEMAS: dict[str, dict[str, Any]] = {
    "datastructure": {
        "required": ["$schema", "$id"],
        "properties": {
            "$schema": TEXT,
            "$id": urn("datastructure"),
            "$defs": {"additionalProperties": {"not": {"required": ["$ref"]}, "properties": {"$id": urn("element")}}},
        },
    },
    "datasource": closed(
        "$schema id connectionType",
        **{"$schema": {"const": "https://civitasconnect.digital/core/datasource/v1"}},
        id=urn("datasource"), title=TEXT, description=TEXT, connectionType={"const": "sql"}, element=ELEMENT,
        driver=MAYBE, dsn=MAYBE, table=MAYBE, columns={"type": "array", "items": TEXT}, where=MAYBE, user=MAYBE,
        password=MAYBE,
    ),
    "mapping": {
        "required": ["$schema", "id", "fields"],
        "properties": {
            "$schema": {"const": "https://civitasconnect.digital/core/mapping/v1"},
            "id": urn("mapping"), "source": ELEMENT, "target": ELEMENT,
            "fields": {
                "propertyNames": PATH,
                "additionalProperties": {
                    "oneOf": [PATH, closed("op lon lat", op={"const": "geoPoint"}, lon=PATH, lat=PATH)]
                },
            },
        },
    },
    "datasink": closed(
        "$schema id connectionType tableName element",
        **{"$schema": {"const": "https://civitasconnect.digital/core/datasink/v1"}},
        id=urn("datasink"), title=TEXT, description=TEXT, connectionType={"const": "postgis"}, tableName=TEXT,
        element=ELEMENT,
    ),
    "pipeline": {
        "required": ["$schema", "id", "nodes", "edges"],
        "properties": {
            "id": urn("pipeline"),
            "nodes": {
                "items": closed(
                    "id kind", id=TEXT, kind={"enum": NODES}, cronExpression=TEXT, sourceRef=urn("datasource"),
                    mappingRef=urn("mapping"), sinkRef=urn("datasink"), **{"x-ui-position": {"type": "object"}},
                )
            },
            "edges": {"items": closed("id source target", id=TEXT, source={"enum": NODES}, target={"enum": NODES})},
        },
    },
}  # fmt: skip
COLUMNS = {
    "station_key": ModelColumn("varchar", "Its key.", nullable=False),
    "day": ModelColumn("date", "Its day.", nullable=False),
    "lon": ModelColumn("double", "Longitude.", unit="deg"),
    "lat": ModelColumn("double", "Latitude.", unit="deg"),
    "geometry_wkb": ModelColumn("blob", "Its outline."),
}


@pytest.fixture
def documents() -> Any:
    tenant = Tenant.model_validate(
        {"name": "Musterstadt", "ags": "99000001", "bbox": [9.0, 50.0, 10.0, 51.0]}
    )
    contract = Contract(
        "station", "1.2.0", "A station and day.", "Stations.", "none", "select 1", "replace_days",
        ("station_key", "day"), COLUMNS,
    )  # fmt: skip
    polling = Polling("postgres://db.example:5432/civitas", "muster_stadt", 3, "0 30 6 * * ?")
    return build_core_package(tenant.with_key("muster_stadt"), [contract], polling)


def test_the_registry_takes_every_document_that_the_manifest_lists(documents: Any) -> None:
    manifest = documents["manifest.json"]
    listed = {member["file"] for members in manifest["members"].values() for member in members}
    assert {*listed, "manifest.json"} == documents.keys()
    assert re.fullmatch(r"urn:[a-z0-9]{2,40}:usecase:[a-z0-9][a-z0-9-]{0,58}[a-z0-9]", manifest["id"])
    for name in listed:
        kind = name.split(".")[-2]
        document = documents[name].get("document", documents[name].get("model", documents[name]))
        Draft202012Validator(SCHEMAS[kind]).validate(document)
    assert "password" in str(manifest), "a parameter of the instance"
    assert documents["station.datasource.json"]["password"] is None


def test_references_lead_to_documents_of_the_package_with_the_version_of_the_contract(documents: Any) -> None:
    names = {
        document.get("$id") or document.get("id") or document.get("mappingUrn")
        for document in documents.values()
    }
    mapping, nodes = documents["station.mapping.json"], documents["station.pipeline.json"]["model"]["nodes"]
    led_to = {mapping["document"]["source"], mapping["document"]["target"]}
    led_to |= {value for node in nodes for key, value in node.items() if key.endswith("Ref")}
    led_to |= {documents[f"station.{kind}.json"]["element"] for kind in ("datasource", "datasink")}
    assert led_to <= names
    assert all(name.endswith(":1.2.0") for name in led_to)


def test_the_platform_makes_a_table_with_types_key_and_point(documents: Any) -> None:
    """Of a type that is a list it would make a text, so what may be missing is not required instead."""
    (row,) = documents["station-table.datastructure.json"]["$defs"].values()
    properties = row["properties"]
    assert {name: column.get("type") for name, column in properties.items()} == {
        "station_key": "string", "day": "string", "lon": "number", "lat": "number", "position": None,
    }  # fmt: skip
    assert row["required"] == ["station_key", "day"]
    assert [name for name, column in properties.items() if column.get("x-core-primaryKey")] == [
        "station_key",
        "day",
    ]
    assert properties["position"]["$ref"] == "https://geojson.org/schema/Point.json"
    assert documents["station.datasink.json"]["tableName"] == "muster_stadt__station"
    source = documents["station.datasource.json"]
    assert (source["table"], source["where"]) == ("muster_stadt.station", "day >= current_date - 3")
    assert source["columns"] == ["station_key", "day", "lon", "lat"]


def test_a_cron_without_seconds_is_refused() -> None:
    with pytest.raises(ExportError, match="no cron of six fields"):
        Polling(None, "town", None, "30 6 * * *")
