"""The assets `records/<record type>`: landed payloads as typed records, with every revision.

One step reads a payload once for all record types that it holds. Where that leaves nothing to publish, the outcome of
each source is still checked, but nothing is materialised, and what comes after is skipped.
"""

import dagster as dg

from civitas_assets.defs.asset_checks import build_partitioned_check, build_partitions
from civitas_assets.defs.asset_keys import landing_key, records_key
from civitas_assets.defs.asset_steps import build_step_assets
from civitas_assets.defs.models import make_code_link
from civitas_assets.harmonise.workspace_tables import list_table_columns
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.outcomes import READ
from civitas_assets.pipeline.read_step import read_tenant
from civitas_assets.records import RECORD_TYPES, RecordType

_ADDED = {
    "source": "Source that the record came from.",
    "day": "Day of the event in the tenant's time zone.",
    "revision": "Counts the versions of the record, from 1.",
    "received_at": "When the payload was received.",
    "run_id": "Run that has read it.",
    "payload": "Hash of the payload in landing.",
    "deleted": "Whether the source has ceased to name the thing.",
}


def build_record_assets(deployment: Deployment) -> dg.Definitions:
    """All record types, read in one step."""
    partitions = build_partitions(deployment)
    brought: dict[str, set[dg.AssetKey]] = {}  # by record type, the landings that have it
    for tenant in deployment.catalog.tenants.values():
        for source in tenant.sources.values():
            for record_type in source.record_types():
                brought.setdefault(record_type, set()).add(landing_key(source.connector))
    specs = [
        dg.AssetSpec(
            records_key(name),
            deps=sorted(brought.get(name, ())),
            group_name="records",
            kinds={"parquet"},
            owners=[f"team:{deployment.settings.team}"],
            description=record_type.description,
            metadata={
                "dagster/column_schema": _columns(record_type),
                **make_code_link(deployment.settings, f"civitas_assets/records/{name}.py", "Record type"),
            },
        )
        for name, record_type in RECORD_TYPES.items()
    ]
    checks = [
        build_partitioned_check(READ, records_key(name), partitions, "Every landed payload could be read.")
        for name in RECORD_TYPES
        if name in brought
    ]

    return dg.Definitions(assets=[build_step_assets(deployment, "read_landing", read_tenant, specs, checks)])


def _columns(record_type: RecordType) -> dg.TableSchema:
    """What a source can bring, and what the store adds."""
    own = [dg.TableColumn(c.name, c.kind.value, c.description) for c in record_type.columns]
    kinds = list_table_columns()[record_type.name]
    return dg.TableSchema(
        own + [dg.TableColumn(name, kinds[name], what) for name, what in _ADDED.items() if name in kinds]
    )
