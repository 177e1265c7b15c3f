"""What the manifest of the prepared dbt project says about its models and tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import msgspec

from civitas_assets.harmonise.plan import Plan, read_plan
from civitas_assets.records import RECORD_TYPES

MANIFEST = "target/manifest.json"
REJECTED = "rejected"  # rows of any record type may be there


@dataclass(frozen=True)
class SharedModel:
    """A published table: its columns with their descriptions, what it is made of, and how it is replaced."""

    name: str
    description: str
    subject: str
    replaced: str
    columns: Mapping[str, str]
    types: Mapping[str, str]
    shared_parents: tuple[str, ...]
    record_types: tuple[str, ...]
    path: str

    @property
    def by_day(self) -> bool:
        """Whether publishing replaces single days, and not the whole table."""
        return self.replaced == "replace_days"


@dataclass(frozen=True)
class DataTest:
    """A data test: the shared model that it guards, and whether breaking it stops publishing."""

    unique_id: str
    name: str
    model: str
    description: str
    blocking: bool


@dataclass(frozen=True)
class Project:
    """A dbt project, and the folder with what `prepare.py` has made of it."""

    folder: Path
    prepared: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest as dbt writes it."""
        manifest: dict[str, Any] = msgspec.json.decode((self.prepared / MANIFEST).read_bytes())
        return manifest

    @cached_property
    def models(self) -> Mapping[str, SharedModel]:
        """The shared models by name, parents before children."""
        nodes = self.manifest["nodes"]
        found = {
            node["name"]: SharedModel(
                name=node["name"],
                description=node["description"],
                subject=node["fqn"][-2],
                replaced=node["config"]["meta"]["publish"],
                columns={name: column["description"] for name, column in node["columns"].items()},
                types={name: column["data_type"] or "" for name, column in node["columns"].items()},
                shared_parents=tuple(sorted(self._shared_above(unique_id))),
                record_types=tuple(sorted(self._records_above(unique_id))),
                path=node["original_file_path"],
            )
            for unique_id, node in sorted(nodes.items())
            if _is_shared(node)
        }
        order = TopologicalSorter(
            {name: model.shared_parents for name, model in found.items()}
        ).static_order()
        return {name: found[name] for name in order}

    @property
    def model_nodes(self) -> Sequence[Mapping[str, Any]]:
        """All models as the manifest has them, those between records and shared ones too, parents before children."""
        order = TopologicalSorter(self.manifest["parent_map"]).static_order()
        nodes = (self.manifest["nodes"].get(unique_id) for unique_id in order)
        return [node for node in nodes if node is not None and node["resource_type"] == "model"]

    @cached_property
    def tests(self) -> Mapping[str, DataTest]:
        """The data tests of shared models, by dbt's unique id."""
        found = {}
        for unique_id, node in sorted(self.manifest["nodes"].items()):
            if node["resource_type"] != "test" or "project" in node["tags"]:
                continue  # tests of the project itself run before a release, not in a run
            attached = self.manifest["nodes"].get(node.get("attached_node") or "")
            guarded = attached or next(
                (
                    n
                    for parent in node["depends_on"]["nodes"]
                    if _is_shared(n := self.manifest["nodes"].get(parent, {}))
                ),
                None,
            )
            if guarded is not None and _is_shared(guarded):
                found[unique_id] = DataTest(
                    unique_id,
                    node["name"],
                    guarded["name"],
                    node.get("description") or "",
                    node["config"]["severity"].lower() == "error",
                )
        return found

    @cached_property
    def tests_by_model(self) -> Mapping[str, Sequence[DataTest]]:
        """The data tests of each shared model that has any."""
        return {
            model: found
            for model in self.models
            if (found := [test for test in self.tests.values() if test.model == model])
        }

    @cached_property
    def plan(self) -> Plan:
        """What runs do, node by node."""
        return read_plan(self.prepared)

    def select_nodes(self, filled: frozenset[str], occasions: frozenset[str]) -> list[str]:
        """Tables and data tests that have something to do where there are records of these types, or rows that were
        rejected, by unique id.

        Left out is what records of other types make, and nothing else does; and what needs an occasion that the
        records do not give: it stays as it is without any.
        """
        return [
            unique_id
            for unique_id in sorted(self.plan.by_id)
            if (not self._fillings[unique_id] or self._fillings[unique_id] & filled)
            and self._occasion(self.manifest["nodes"][unique_id]) in {None, *occasions}
        ]

    def _occasion(self, node: Mapping[str, Any]) -> str | None:
        """What a model's rows depend on besides records of its types; that of a test is that of its model."""
        model = self.manifest["nodes"].get(node.get("attached_node") or "", node)
        occasion: str | None = model["config"]["meta"].get("only_with")
        return occasion

    @cached_property
    def _fillings(self) -> Mapping[str, frozenset[str]]:
        """By node, the record types that can give it rows; none for what is there in any case."""
        found: dict[str, frozenset[str]] = {}
        parents = self.manifest["parent_map"]
        for unique_id in TopologicalSorter(parents).static_order():
            source = self.manifest["sources"].get(unique_id)
            own = frozenset([source["name"]]) & {*RECORD_TYPES, REJECTED} if source else frozenset[str]()
            found[unique_id] = own.union(*(found[parent] for parent in parents.get(unique_id, ())))
        return found

    def find_record_types(self, model: str) -> frozenset[str]:
        """The record types that a shared model is made of, also by way of other shared models."""
        above = self.models[model].shared_parents
        return frozenset(self.models[model].record_types).union(*map(self.find_record_types, above))

    def _above(self, unique_id: str) -> set[str]:
        """Everything that a node is made of, up to the next shared model."""
        found: set[str] = set()
        waiting = list(self.manifest["parent_map"].get(unique_id, ()))
        while waiting:
            parent = waiting.pop()
            if parent not in found:
                found.add(parent)
                if not _is_shared(self.manifest["nodes"].get(parent, {})):
                    waiting.extend(self.manifest["parent_map"].get(parent, ()))
        return found

    def _shared_above(self, unique_id: str) -> set[str]:
        nodes = self.manifest["nodes"]
        return {
            nodes[parent]["name"] for parent in self._above(unique_id) if _is_shared(nodes.get(parent, {}))
        }

    def _records_above(self, unique_id: str) -> set[str]:
        sources = self.manifest["sources"]
        names = {sources[parent]["name"] for parent in self._above(unique_id) if parent in sources}
        return names & RECORD_TYPES.keys()


def find_layer(node: Mapping[str, Any]) -> str:
    """Whether a model is `shared`, or one of those between records and shared ones: `staging`."""
    return "shared" if _is_shared(node) else "staging"


def _is_shared(node: Mapping[str, Any]) -> bool:
    return node.get("resource_type") == "model" and "shared" in node.get("fqn", ())[:2]
