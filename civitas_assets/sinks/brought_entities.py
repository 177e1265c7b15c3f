"""Things, sensors, properties and datastreams of a tenant on a SensorThings server: made, changed, and taken back.

They carry a mark with the tenant's key, so that several tenants share a server, and what has none is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from civitas_assets.export.described_entities import (
    MARK,
    build_mark,
    describe_property,
    describe_sensor,
    describe_stream,
    describe_thing,
)
from civitas_assets.export.selection import Selection
from civitas_assets.export.terms import Conditions
from civitas_assets.publish.reading import PublishedTables
from civitas_assets.sinks.sensorthings_writing import SensorThingsServer
from civitas_assets.sinks.sink_report import SinkReport


class EntityBringer:
    """What describes observations, of one tenant on one server; `made` are ids of what was not there before."""

    def __init__(self, server: SensorThingsServer, tenant: str, report: SinkReport) -> None:
        self._server, self._tenant, self._report = server, tenant, report
        self.made = set[Any]()

    def bring(self, tables: PublishedTables, conditions: Conditions) -> dict[str, Any]:
        """Ids of datastreams by their keys, after all that describes is there."""
        columns = tables.list_columns()
        stations = _query_rows(tables, Selection.from_models(columns, "station", None, conditions))
        streams = _query_rows(tables, Selection.from_models(columns, "datastream", None, conditions))
        names = _read_properties(tables)
        self._withdraw(
            "Datastreams", _list_keys(tables, "datastream") - {row["datastream_key"] for row in streams}
        )
        self._withdraw("Things", _list_keys(tables, "station") - {row["station_key"] for row in stations})
        placed = {row["station_key"]: row for row in stations if row["lon"] is not None}
        if nowhere := len(stations) - len(placed):
            self._report.left_out.append(
                f"{nowhere} station(s) without a position, at which nothing is observed"
            )
        offered = [row for row in streams if row["station_key"] in placed and row["observed_property"]]
        things = self._bring_set(
            "Things", {row["station_key"]: describe_thing(row) for row in placed.values()}
        )
        sensors = self._bring_set(
            "Sensors", {name: describe_sensor(name) for name in {row["sensor"] or "-" for row in offered}}
        )
        properties = self._bring_set(
            "ObservedProperties",
            {code: describe_property(code, names) for code in {row["observed_property"] for row in offered}},
        )
        wanted = {
            row["datastream_key"]: {
                **describe_stream(row),
                "Thing": {"@iot.id": things[row["station_key"]]},
                "Sensor": {"@iot.id": sensors[row["sensor"] or "-"]},
                "ObservedProperty": {"@iot.id": properties[row["observed_property"]]},
            }
            for row in offered
        }
        return self._bring_set("Datastreams", wanted)

    def _withdraw(self, entity_set: str, keys: Iterable[str]) -> None:
        """Take from the server what is published here and may not be given any more, with all that hangs on it."""
        marks = {self._mark(entity_set, key) for key in keys}
        for mark, there in self._server.list_marked(entity_set).items() if marks else ():
            if mark in marks:
                reply = self._server.delete(entity_set, there.id)
                if not reply.ok:
                    said = f"{entity_set} {mark} does not go: HTTP {reply.status} {reply.reason}"
                    self._report.refused.append(said.strip())
                self._report.entities += reply.ok

    def _bring_set(self, entity_set: str, wanted: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
        """Ids of entities by key, after what is missing was made and what says something else was changed."""
        known, found = self._server.list_marked(entity_set), dict[str, Any]()
        for key, content in sorted(wanted.items()):
            mark = self._mark(entity_set, key)
            said = {**content, "properties": {**content.get("properties", {}), MARK: mark}}
            there = known.get(mark)
            if there is None:
                found[key] = self._server.create(entity_set, said)
                self.made.add(found[key])
                self._report.entities += 1
                continue
            found[key] = there.id
            links = {"Thing", "Sensor", "ObservedProperty", "Locations"}
            plain = {name: value for name, value in said.items() if name not in links}
            if all(there.content.get(name) == value for name, value in plain.items()):
                continue
            before = there.content.get("properties") or {}
            if "Locations" in said and before.get("position") != said["properties"]["position"]:
                self._server.move_thing(there.id, said["Locations"][0])
            reply = self._server.update(entity_set, there.id, plain)
            if reply.ok:
                self._report.entities += 1
            else:
                text = f"{entity_set} {key}: HTTP {reply.status} {reply.reason}"
                self._report.refused.append(text.strip())
        return found

    def _mark(self, entity_set: str, key: str) -> str:
        return build_mark(self._tenant, entity_set, key)


def _query_rows(tables: PublishedTables, chosen: Selection) -> list[dict[str, Any]]:
    said = [f'{text} as "{name}"' for name, text in chosen.said.items()]
    query = chosen.build_query(", ".join(["picked.*", *said]), with_thing=False)
    found: list[dict[str, Any]] = tables.stream(query.sql, query.parameters, 20_000).read_all().to_pylist()
    return found


def _list_keys(tables: PublishedTables, model: str) -> set[str]:
    """The keys of all rows, whoever may have them."""
    rows = tables.stream(f"select {model}_key from {model}", (), 20_000).read_all()  # noqa: S608 - of ours
    return set(rows.column(0).to_pylist())


def _read_properties(tables: PublishedTables) -> Mapping[str, str]:
    if "observed_property" not in tables.list_models():
        return {}
    rows = tables.stream("select * from observed_property", (), 20_000).read_all().to_pylist()
    return {row["observed_property"]: str(row.get("label_en") or row["observed_property"]) for row in rows}
