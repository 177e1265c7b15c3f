"""How dbt's models look as assets: their parents, columns, column lineage, and links to their SQL.

Everything is read from what was prepared of the dbt project; what a run makes of a model is in `shared_models.py`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from civitas_assets.defs.asset_keys import records_key, shared_key, staging_key
from civitas_assets.harmonise.lineage import read_lineage
from civitas_assets.harmonise.own_models import OWN
from civitas_assets.harmonise.project import find_layer
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.records import RECORD_TYPES
from civitas_assets.settings import PROJECT_DIR, Settings

_UNKNOWN = dg.TableColumnLineage({})
_SCHEMAS = {"records": records_key, "staging": staging_key, "shared": shared_key}


def build_model_specs(deployment: Deployment) -> list[dg.AssetSpec]:
    """The assets of all models: those between records and shared ones in the group staging."""
    lineage = _column_lineage(deployment)
    return [
        _spec(deployment, node, lineage.get(node["name"], _UNKNOWN))
        for node in deployment.project.model_nodes
    ]


def _column_lineage(deployment: Deployment) -> Mapping[str, dg.TableColumnLineage]:
    """Which columns the columns of each model are made of; those of seeds are left out, since they are no assets."""
    return {
        model: dg.TableColumnLineage(
            {
                column: [
                    dg.TableColumnDep(_SCHEMAS[schema](table), name)
                    for schema, table, name in origins
                    if schema in _SCHEMAS and (schema != "records" or table in RECORD_TYPES)
                ]
                for column, origins in columns.items()
            }
        )
        for model, columns in read_lineage(deployment.project.prepared).items()
    }


def make_code_link(settings: Settings, path: str, label: str) -> Mapping[str, Any]:
    """Metadata that leads from the UI to a file of the project: here, and where its repository can be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        places: list[Any] = [dg.LocalFileCodeReference(file_path=str(PROJECT_DIR / path), label=label)]
        if settings.repository_url:
            address = f"{settings.repository_url.rstrip('/')}/{path}"
            places.append(dg.UrlCodeReference(url=address, label=f"{label} in the repository"))
        return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=places)}


def _spec(deployment: Deployment, node: Mapping[str, Any], lineage: dg.TableColumnLineage) -> dg.AssetSpec:
    layer, settings = find_layer(node), deployment.settings
    columns = [
        dg.TableColumn(
            name, column["data_type"] or "", _described(column, lineage.deps_by_column.get(name, ()))
        )
        for name, column in node["columns"].items()
    ]
    file = settings.dbt_project_dir / node["original_file_path"]
    if settings.models_dir and OWN in Path(node["original_file_path"]).parents:
        file = settings.models_dir / Path(node["original_file_path"]).relative_to(OWN)
    path = file.relative_to(PROJECT_DIR) if file.is_relative_to(PROJECT_DIR) else file
    return dg.AssetSpec(
        _SCHEMAS[layer](node["name"]),
        deps=list(_parents(deployment, node)),
        group_name=layer,
        kinds={"dbt", "duckdb"},
        owners=[f"team:{settings.team}"],
        description=node["description"],
        metadata={
            "dagster/column_schema": dg.TableSchema(columns),
            "dagster/column_lineage": lineage,
            **make_code_link(settings, str(path), "SQL"),
        },
        tags={"subject": node["fqn"][-2]},
    )


def _described(column: Mapping[str, Any], origins: Sequence[dg.TableColumnDep]) -> str:
    """What the column is and what it is made of: the open-source UI shows lineage of columns nowhere else."""
    made_of = ", ".join(f"`{dep.asset_key.to_user_string()}.{dep.column_name}`" for dep in origins)
    return "\n\n".join(filter(None, (column["description"], made_of and f"From {made_of}.")))


def _parents(deployment: Deployment, node: Mapping[str, Any]) -> Iterator[dg.AssetKey]:
    """The models and record types that the model reads."""
    manifest = deployment.project.manifest
    for parent in sorted(set(node["depends_on"]["nodes"])):
        source = manifest["sources"].get(parent)
        if source is not None and source["name"] in RECORD_TYPES:
            yield records_key(source["name"])
        elif parent in manifest["nodes"] and manifest["nodes"][parent]["resource_type"] == "model":
            above = manifest["nodes"][parent]
            yield _SCHEMAS[find_layer(above)](above["name"])
