"""What depends on the dbt project alone, made once per state of its files: manifest, plan, and a blank workspace.

Parsing and compiling take seconds and a process of its own. The blank workspace holds the empty tables of records, the
seeds, all views, and all tables as no records make them; every run starts with a copy of it and makes only what has
records.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import msgspec

from civitas_assets.errors import HarmoniseError
from civitas_assets.harmonise.invocation import PROFILES, render_profile
from civitas_assets.harmonise.lineage import LINEAGE, write_lineage
from civitas_assets.harmonise.own_models import check_own_models, copy_project, list_own_files
from civitas_assets.harmonise.plan import write_plan
from civitas_assets.harmonise.project import MANIFEST, Project
from civitas_assets.harmonise.workspace_tables import WORKSPACE_FILE, create_tables, list_table_columns
from civitas_assets.settings import Limits, Settings
from civitas_assets.store.files import remove_folder

log = logging.getLogger("civitas_assets.harmonise")

_FORM = 2  # of what is prepared; another number has it prepared anew
_PARTS = ("models", "seeds", "macros", "tests")
_TOGETHER = "project"  # with the models of a deployment


def prepare_project(settings: Settings) -> Project:
    """The project with its manifest, plan and blank workspace, which are made first if its files have changed.

    Raises:
        HarmoniseError: dbt cannot parse the project or make its seeds and views, and the message is dbt's; or the
            project has what a plan cannot carry.
    """
    folder = settings.dbt_project_dir
    if not (folder / "dbt_project.yml").is_file():
        raise HarmoniseError(f"{folder} holds no dbt project; set CIVITAS_DBT_PROJECT_DIR")
    own = settings.models_dir
    name = _digest(folder, own)
    if settings.prepared_dir is not None and (settings.prepared_dir / name).is_dir():
        return _project(folder, settings.prepared_dir / name)
    prepared = settings.prepared_dbt / name
    if not prepared.is_dir():
        log.info("harmonise · preparing %s, once per state of its files", folder)
        _make(folder, own, prepared, settings.limits)
    return _project(folder, prepared)


def _project(folder: Path, prepared: Path) -> Project:
    together = prepared / _TOGETHER
    return Project(together if together.is_dir() else folder, prepared)


def _digest(folder: Path, own: Path | None) -> str:
    files = sorted(folder.glob("*.yml"))
    files += sorted(path for part in _PARTS for path in (folder / part).rglob("*") if path.is_file())
    versions = [importlib.metadata.version(name) for name in ("dbt-core", "dbt-duckdb", "duckdb")]
    digest = hashlib.sha256(repr((versions, list_table_columns(), LINEAGE, _FORM)).encode())
    for file in files:
        body = file.read_bytes()
        digest.update(f"{file.relative_to(folder)} {len(body)}\n".encode() + body)
    for file in list_own_files(own):
        body = file.read_bytes()
        digest.update(f"own {file.relative_to(own or folder)} {len(body)}\n".encode() + body)
    return digest.hexdigest()[:24]


def _make(folder: Path, own: Path | None, prepared: Path, limits: Limits) -> None:
    """Make both in a process of its own, so that its memory goes again, and put them in place in one step."""
    from civitas_assets.harmonise.compiling import make_plan  # noqa: PLC0415 - with Jinja, which no run needs

    prepared.parent.mkdir(parents=True, exist_ok=True)
    working = Path(tempfile.mkdtemp(dir=prepared.parent, prefix=".prepare-"))
    try:
        if own is not None:
            copy_project(folder, own, working / _TOGETHER)
            folder = working / _TOGETHER
        database = working / WORKSPACE_FILE
        # A copy lives no longer than its run, so the newest storage format is the best one.
        with duckdb.connect(str(database), config={"storage_compatibility_version": "latest"}) as connection:
            create_tables(connection)
        (working / PROFILES).write_text(render_profile(database, limits), encoding="utf-8")
        done = subprocess.run(  # noqa: S603 - our own interpreter and our own arguments
            [sys.executable, "-m", "civitas_assets.harmonise.dbt", str(folder), str(working)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0 or not (working / MANIFEST).is_file():
            raise HarmoniseError(
                f"dbt cannot prepare {folder}:\n{done.stdout.strip()}\n{done.stderr.strip()}"
            )
        manifest = msgspec.json.decode((working / MANIFEST).read_bytes())
        check_own_models(manifest)
        with duckdb.connect(str(database), read_only=True) as connection:
            plan = make_plan(manifest, working, connection)
        write_plan(working, plan)
        write_lineage(working, manifest, database)
        with duckdb.connect(str(database)) as connection:
            for model in plan.prepared:
                connection.execute(f"drop view {model.relation}")
                connection.execute(f"create table {model.relation} as {model.sql}")
        try:
            working.rename(prepared)
        except OSError:
            # Another process has prepared the same state meanwhile, which is as good.
            if not prepared.is_dir():
                raise
    finally:
        remove_folder(working)
