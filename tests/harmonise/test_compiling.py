"""A plan refuses, by name and reason, what compiled SQL does not carry; what it can carry it carries as dbt says it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from civitas_assets.errors import HarmoniseError
from civitas_assets.harmonise.compiling import make_plan
from civitas_assets.harmonise.plan import Plan, PlannedModel, PlannedTest, read_plan, write_plan

FOLDER = Path("/prepared")


def model(name: str, *parents: str, code: str = "select 1::integer as n", **more: Any) -> dict[str, Any]:
    return {
        "unique_id": f"model.town.{name}", "name": name, "resource_type": "model", "language": "sql", "tags": [],
        "original_file_path": f"models/shared/{name}.sql", "compiled_path": f"{FOLDER}/target/{name}.sql",
        "fqn": ["town", "shared", name], "relation_name": f'"{name}"', "raw_code": code, "compiled_code": code,
        "depends_on": {"nodes": [f"model.town.{parent}" for parent in parents], "macros": []},
        "config": {"materialized": "table"}, "contract": {"enforced": False}, "columns": {}, **more,
    }  # fmt: skip


def check(name: str, *tested: str, **config: Any) -> dict[str, Any]:
    return {
        **model(name, *tested), "unique_id": f"test.town.{name}", "resource_type": "test",
        "config": {
            "materialized": "test", "severity": "error", "fail_calc": "count(*)", "warn_if": "!= 0",
            "error_if": "!= 0", "limit": None, **config,
        },
    }  # fmt: skip


def macro(name: str, sql: str, package: str = "town", *called: str) -> dict[str, Any]:
    return {
        "unique_id": f"macro.{package}.{name}", "name": name, "package_name": package, "macro_sql": sql,
        "original_file_path": f"macros/{name}.sql", "depends_on": {"macros": list(called)},
    }  # fmt: skip


def planned(*parts: dict[str, Any]) -> Plan:
    manifest = {
        "nodes": {part["unique_id"]: part for part in parts if "macro_sql" not in part},
        "macros": {part["unique_id"]: part for part in parts if "macro_sql" in part},
    }
    with duckdb.connect() as connection:
        for part in parts:
            if part.get("resource_type") == "model":
                connection.execute(part.get("table", f"create table {part['name']} (n integer)"))
        return make_plan(manifest, FOLDER, connection)


def using(code: str) -> dict[str, Any]:
    return model("m", code=code)


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (model("m", config={"materialized": "incremental"}), "is materialised as incremental"),
        (model("m", language="python"), "is written in python"),
        (model("m", config={"materialized": "table", "post-hook": [{"sql": "x"}]}), "has hooks"),
        (model("m", config={"materialized": "view", "pre-hook": [{"sql": "x"}]}), "has hooks"),
        (model("m", config={"materialized": "table", "sql_header": "set x"}), "sql_header"),
        (check("t", store_failures=True), "stores its failures"),
        (check("t", store_failures_as="view"), "stores its failures"),
        (model("o", resource_type="operation", tags=["on-run-start"]), "operation of ['on-run-start']"),
        (model("s", resource_type="snapshot"), "is a snapshot"),
        (using("{% if is_incremental() %} select 1 {% endif %}"), "uses is_incremental,"),
        (using("{% set found = run_query('select 1') %}"), "uses run_query,"),
        (using("{% set found = dbt.run_query('select 1') %}"), "uses run_query,"),
        (using("{%- call statement('x', fetch_result=True) -%} select 1 {%- endcall -%}"), "uses statement,"),
        (using("select '{{ invocation_id }}'"), "uses invocation_id,"),
        (using("select '{{ run_started_at }}'"), "uses run_started_at,"),
        (using("select '{{ env_var('HOME') }}'"), "uses env_var,"),
        (using("select '{{ modules.datetime.datetime.now() }}'"), "uses datetime,"),
        (using("{% set c = adapter.get_columns_in_relation(this) %}"), "uses adapter.get_columns_in_relation"),
        (macro("materialization_table_default", ""), "changes how dbt makes or tests"),
        (macro("duckdb__get_test_sql", ""), "changes how dbt makes or tests"),
    ],
)  # fmt: skip
def test_what_a_plan_cannot_carry_is_refused(part: dict[str, Any], reason: str) -> None:
    with pytest.raises(HarmoniseError) as refused:
        planned(part)
    assert reason in str(refused.value)
    assert part["unique_id"] in str(refused.value)
    assert part["original_file_path"] in str(refused.value)


def test_what_a_macro_asks_by_way_of_another_is_refused_too() -> None:
    outer = macro("outer", "{% macro outer() %}{{ inner() }}{% endmacro %}", "town", "macro.town.inner")
    inner = macro("inner", "{% macro inner() %}{% do run_query('x') %}{% endmacro %}")
    node = using("select {{ outer() }}")
    node["depends_on"]["macros"] = ["macro.town.outer"]
    with pytest.raises(HarmoniseError, match="uses run_query in the macro inner"):
        planned(node, outer, inner)


def test_words_in_comments_strings_and_arguments_are_no_questions() -> None:
    code = "{# run_query #}{{ config(meta={'a': 'is_incremental'}) }}{{ adapter.quote('n') }} select 1 -- env_var"
    assert [node.name for node in planned(using(code)).nodes] == ["m"]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("create table m (b varchar, a integer not null)", "column 1"),
        ("create table m (a bigint not null, b varchar)", "column 1"),
        ("create table m (a integer, b varchar)", "column 1"),
        ("create table m (a integer not null)", "has 1 columns"),
        ("create table m (a integer not null, b varchar)", None),
    ],
)
def test_a_table_that_is_not_as_its_contract_says_is_refused(table: str, reason: str | None) -> None:
    columns = {
        "a": {"name": "a", "data_type": "int", "constraints": [{"type": "not_null"}]},
        "b": {"name": "b", "data_type": "text", "constraints": []},
    }
    node = model("m", contract={"enforced": True}, columns=columns, table=table)
    if reason:
        with pytest.raises(HarmoniseError, match=rf"model\.town\.m.*{reason}"):
            planned(node)
    else:
        assert len(planned(node).nodes) == 1


def test_tests_come_before_what_builds_on_the_tested_also_by_way_of_a_view(tmp_path: Path) -> None:
    view = model("v", "a", config={"materialized": "view"})
    plan = planned(
        model("a"), view, model("b", "v"), check("t", "a"), check("t2", "a", "b"), check("tv", "v")
    )
    after = {node.name: {above.split(".")[-1] for above in node.after} for node in plan.nodes}
    assert after == {"a": set(), "t": {"a"}, "tv": {"a", "t"}, "b": {"a", "t", "tv"}, "t2": {"a", "b"}}
    assert [*after].index("t") < [*after].index("b")
    write_plan(tmp_path, plan)
    assert read_plan(tmp_path) == plan


def test_a_view_of_seeds_and_spellings_is_prepared_and_one_of_records_refused() -> None:
    config = {"materialized": "view", "meta": {"prepared": True}}
    spelled = {**model("spelled", config=config)}
    spelled["depends_on"]["nodes"] = ["seed.town.units", "source.town.records.mapping"]
    known = model("known", "spelled", config=config)
    assert [made.name for made in planned(known, spelled, model("m", "known")).prepared] == [
        "spelled",
        "known",
    ]
    spelled["depends_on"]["nodes"].append("source.town.records.observation")
    with pytest.raises(HarmoniseError, match=r"model\.town\.known .*is prepared: true, which only a view of"):
        planned(known, spelled)


def test_a_test_asks_as_dbt_does() -> None:
    plan = planned(
        model("m"),
        check("t", "m", severity="warn", fail_calc="sum(n)", warn_if="> 1", error_if="> 9", limit=5),
    )
    test = next(node for node in plan.nodes if isinstance(node, PlannedTest))
    assert test.severity == "WARN"
    with duckdb.connect() as connection:
        assert connection.execute(test.query()).fetchall() == [(1, False, False)]
    assert "\nlimit 5\n" in test.query()
    assert isinstance(plan.nodes[0], PlannedModel)
