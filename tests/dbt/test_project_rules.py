"""The rules of dbt-project-evaluator, asked of the manifest: each is kept, or says here what it is not kept by and why.

The package itself is no dependency: it builds some sixty models of its own in the warehouse that it looks at.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.export.export_vocabulary import ExportVocabulary
from civitas_assets.export.ngsi_ld_format import list_exported_entities
from civitas_assets.harmonise.project import Project
from civitas_assets.report.places import KINDS
from civitas_assets.report.quality import STATUSES
from civitas_assets.settings import PROJECT_DIR

Node = Mapping[str, Any]

# Where a rule is not kept, by name of the rule: what breaks it, and why that is right here.
REFUSED: Mapping[str, Mapping[str, str]] = {
    "a model has at most two children that nothing else is made of": {
        "observation": "a wide table per domain, which analysts ask for",
        "stg_source": "facts name licence and space of ids of their source",
        "stg_tenant": "each shared model names its tenant",
        "stg_seen": "whatever is a thing says when it was last seen",
    },
    "a source has one child": {
        "observation": "current revisions, all revisions, series and days are read with different filters at the files",
    },
    "a model joins fewer than seven others": {
        "int_observation_series": "all that can be known of a spelling is looked up once, and not per value",
        "int_observation_quality": "the order of precedence of all rules is written down in one place",
    },
    "nothing is joined again with what it is made of": {
        "int_running_mean": "an assessment needs hours and means over them",
        "int_observation_step": "what does not go with its neighbours is one of the rules of quality",
        "int_quality_mark": "marks are looked up once each, and joined to the values that carry them",
        "observation_daily": "an assessment names tenant and affected days as its means do",
    },
    "a model has a key that is tested": {
        "stg_rejected": "the same row may be rejected twice; what is published of it is counted",
    },
}


@dataclass(frozen=True)
class Graph:
    """What the rules ask of a manifest."""

    manifest: Node

    @cached_property
    def models(self) -> dict[str, Node]:
        return {k: n for k, n in self.manifest["nodes"].items() if n["resource_type"] == "model"}

    def layer(self, unique_id: str) -> str:
        return str(self.models[unique_id]["fqn"][1])

    def parents(self, unique_id: str, *kinds: str) -> list[str]:
        return [p for p in self.manifest["parent_map"][unique_id] if p.startswith(kinds)]

    def children(self, unique_id: str) -> list[str]:
        return [c for c in self.manifest["child_map"][unique_id] if c in self.models]

    def tests(self, unique_id: str) -> set[str]:
        """Kinds of data tests of a model itself."""
        nodes = self.manifest["nodes"].values()
        return {
            n["test_metadata"]["name"]
            for n in nodes
            if n["resource_type"] == "test" and n.get("attached_node") == unique_id and n["test_metadata"]
        }

    def views_above(self, unique_id: str) -> int:
        above = [
            p for p in self.parents(unique_id, "model.") if self.models[p]["config"]["materialized"] == "view"
        ]
        return 1 + max(map(self.views_above, above), default=0)


Rule = Callable[[Graph], Iterator[str]]
RULES: dict[str, Rule] = {}


def rule(said: str) -> Callable[[Rule], Rule]:
    def put(find: Rule) -> Rule:
        RULES[said] = find
        return find

    return put


def name(unique_id: str) -> str:
    return unique_id.rpartition(".")[2]


@rule("only staging reads a source")
def _direct_sources(graph: Graph) -> Iterator[str]:
    return (m for m in graph.models if graph.layer(m) != "staging" and graph.parents(m, "source."))


@rule("staging reads one source and nothing else")
def _staging(graph: Graph) -> Iterator[str]:
    for m in graph.models:
        if graph.layer(m) == "staging" and (
            graph.parents(m, "model.") or len(graph.parents(m, "source.")) != 1
        ):
            yield m


@rule("a source has one child")
def _source_fanout(graph: Graph) -> Iterator[str]:
    return (s for s in graph.manifest["sources"] if len(graph.children(s)) > 1)


@rule("a source is read")
def _unused(graph: Graph) -> Iterator[str]:
    return (s for s in graph.manifest["sources"] if not graph.children(s))


@rule("no table is two sources")
def _duplicates(graph: Graph) -> Iterator[str]:
    seen = set[str]()
    for unique_id, source in graph.manifest["sources"].items():
        if source["relation_name"] in seen:
            yield unique_id
        seen.add(source["relation_name"])


@rule("a model is made of something")
def _roots(graph: Graph) -> Iterator[str]:
    return (m for m in graph.models if not graph.parents(m, "model.", "source.", "seed."))


@rule("relations are named by ref and source alone")
def _hard_coded(graph: Graph) -> Iterator[str]:
    for unique_id, model in graph.models.items():
        sql = re.sub(r"\{#.*?#\}|--[^\n]*|'[^']*'", "", model["raw_code"], flags=re.DOTALL)
        if re.search(r"\b(?:from|join)\s+\"?\w+\"?\.\"?\w+", sql, flags=re.IGNORECASE):
            yield unique_id


@rule("a model has at most two children that nothing else is made of")
def _fanout(graph: Graph) -> Iterator[str]:
    for m in graph.models:
        if sum(not graph.children(child) for child in graph.children(m)) > 2:
            yield m


@rule("a model joins fewer than seven others")
def _joins(graph: Graph) -> Iterator[str]:
    return (m for m in graph.models if len(graph.parents(m, "model.", "source.")) >= 7)


@rule("nothing is joined again with what it is made of")
def _rejoined(graph: Graph) -> Iterator[str]:
    for m in graph.models:
        for child in graph.children(m):
            only = graph.children(child)
            if len(only) == 1 and only[0] in graph.children(m):
                yield child


@rule("no more than four views are stacked")
def _chains(graph: Graph) -> Iterator[str]:
    return (m for m in graph.models if graph.views_above(m) > 4)


@rule("names and folders say the layer")
def _names(graph: Graph) -> Iterator[str]:
    starts = {"staging": "stg_", "intermediate": "int_"}
    for unique_id, model in graph.models.items():
        layer = graph.layer(unique_id)
        folder = model["original_file_path"].startswith(f"models/{layer}/")
        start = starts.get(layer)
        if not folder or (
            not name(unique_id).startswith(start) if start else name(unique_id).startswith(("stg_", "int_"))
        ):
            yield unique_id


@rule("models and sources with their columns are described")
def _described(graph: Graph) -> Iterator[str]:
    for unique_id, node in {**graph.models, **graph.manifest["sources"]}.items():
        said = [node["description"], node.get("source_description", "-")]
        if not all(said) or not all(column["description"] for column in node["columns"].values()):
            yield unique_id


@rule("a model has a key that is tested")
def _keys(graph: Graph) -> Iterator[str]:
    return (m for m in graph.models if not graph.tests(m) & {"unique", "unique_combination"})


@rule("who reads a model that is public may rely on a contract")
def _contracts(graph: Graph) -> Iterator[str]:
    for unique_id, model in graph.models.items():
        if model["access"] == "public" and not model["config"]["contract"]["enforced"]:
            yield unique_id


@rule("what is published is public, and nothing else is")
def _access(graph: Graph) -> Iterator[str]:
    for unique_id, model in graph.models.items():
        wanted = "public" if graph.layer(unique_id) == "shared" else "private"
        if model["access"] != wanted or model["group"] != "harmonisation":
            yield unique_id


@rule("exposures are made of tables that are public")
def _exposures(graph: Graph) -> Iterator[str]:
    for unique_id in graph.manifest["exposures"]:
        for parent in graph.manifest["parent_map"][unique_id]:
            model = graph.models[parent]
            if model["access"] != "public" or model["config"]["materialized"] != "table":
                yield parent


@rule("a source whose records have a time says when it is fresh")
def _fresh(graph: Graph) -> Iterator[str]:
    timed = {"phenomenon_start", "observed_at"}
    for unique_id, source in graph.manifest["sources"].items():
        has_time = bool(timed & set(source["columns"])) and source["name"] != "observation_before"
        if has_time != bool(source["freshness"] and source["loaded_at_query"]):
            yield unique_id


@pytest.fixture(scope="module")
def graph(project: Project) -> Graph:
    return Graph(project.manifest)


@pytest.mark.parametrize("said", RULES)
def test_rule_is_kept_or_says_why_not(said: str, graph: Graph) -> None:
    assert {name(found) for found in RULES[said](graph)} == set(REFUSED.get(said, {}))


def test_what_is_refused_is_a_rule() -> None:
    assert set(REFUSED) <= set(RULES)


def test_a_hard_coded_relation_is_found_and_a_word_in_a_comment_is_none() -> None:
    def found(sql: str) -> list[str]:
        return [*RULES["relations are named by ref and source alone"](graph_of(sql))]

    assert found("select * from shared.station") == ["model.civitas.m"]
    assert found("with a as (select 1) select * from a -- from shared.station") == []


def graph_of(sql: str) -> Graph:
    return Graph({"nodes": {"model.civitas.m": {"resource_type": "model", "raw_code": sql}}})


def read_by(graph: Graph, exposure: str) -> set[str]:
    return {name(p) for p in graph.manifest["parent_map"][f"exposure.civitas.{exposure}"]}


def test_the_morning_page_depends_on_what_it_reads(graph: Graph, project: Project) -> None:
    found = {*(model for model, _ in KINDS.values()), *STATUSES}
    for file in sorted((PROJECT_DIR / "civitas_assets/report").glob("*.py")):
        texts = (n.value for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Constant))
        for text in (text for text in texts if isinstance(text, str)):
            found |= {*re.findall(r"\b(?:from|join)\s+(\w+)", text)} & project.models.keys()
    assert read_by(graph, "morning_page") == found


def test_an_export_of_entities_depends_on_what_it_reads(graph: Graph) -> None:
    vocabulary = ExportVocabulary.read(Path(PROJECT_DIR / "dbt_project"))
    assert read_by(graph, "ngsi_ld_export") == set(list_exported_entities(vocabulary))


def test_dashboards_depend_on_what_they_ask(graph: Graph) -> None:
    boards = sorted((PROJECT_DIR / "deploy/grafana").glob("*.json"))
    asked = "\n".join(
        target["rawSql"]
        for board in boards
        for panel in json.loads(board.read_text(encoding="utf-8"))["panels"]
        for target in panel["targets"]
    )
    assert read_by(graph, "grafana_dashboards") == {*re.findall(r"\b(?:from|join) (\w+)", asked)}
