"""Models are assets also where nothing is known of what their columns are made of."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from civitas_assets.defs.models import build_model_specs
from civitas_assets.harmonise.lineage import LINEAGE
from civitas_assets.pipeline.deployment import Deployment
from tests.defs.conftest import Deploy


def test_columns_are_described_with_or_without_their_lineage(
    deployed: Deploy, town: Callable[..., str], tmp_path: Path
) -> None:
    deployment = deployed(stadt=town(1))
    prepared = tmp_path / "prepared"
    shutil.copytree(deployment.project.prepared, prepared)
    (prepared / LINEAGE).unlink()
    without = replace(deployment, project=replace(deployment.project, prepared=prepared))

    def described(of: Deployment) -> dict[tuple[str, ...], list[str]]:
        return {
            (*spec.key.path,): [
                column.description for column in spec.metadata["dagster/column_schema"].columns
            ]
            for spec in build_model_specs(of)
        }

    known, unknown = described(deployment), described(without)
    assert known.keys() == unknown.keys()
    assert any("From `" in text for texts in known.values() for text in texts)
    assert not any("From `" in text for texts in unknown.values() for text in texts)
    assert "Smallest valid value." in unknown["shared", "observation_daily"]
