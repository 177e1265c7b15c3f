"""How dbt is called: its arguments and its profile, which say paths and nothing of any tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from civitas_assets.settings import Limits

PROFILES = "profiles.yml"


def make_dbt_arguments(command: str, project: Path, workspace: Path, selection: Sequence[str]) -> list[str]:
    """Arguments of a dbt command on a workspace's folder, without a log in a file."""
    paths: Sequence[tuple[str, Path]] = (
        ("--project-dir", project),
        ("--profiles-dir", workspace),
        ("--target-path", workspace / "target"),
        ("--log-path", workspace / "target"),
    )
    options = (part for option, path in paths for part in (option, str(path)))
    return [command, *options, *selection, "--log-level-file", "none"]


def render_profile(database: Path, limits: Limits) -> str:
    """dbt's profile of one workspace."""
    output: Mapping[str, object] = {
        "type": "duckdb",
        "path": str(database),
        "schema": "shared",
        "threads": 2,
        "settings": {"TimeZone": "UTC", "memory_limit": limits.memory, "parquet_metadata_cache": True},
    }
    # JSON is YAML, and its quoting leaves a path no way out.
    return msgspec.json.encode(
        {"civitas": {"target": "workspace", "outputs": {"workspace": output}}}
    ).decode()
