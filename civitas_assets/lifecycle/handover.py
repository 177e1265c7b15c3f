"""Handing a tenant over: everything that is theirs in one folder, which is there as a whole or not at all.

How the folder describes itself is in `handover_catalogue.py`; nothing of the tenant is changed here.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.defaults import Defaults
from civitas_assets.catalog.yaml_text import locate_file
from civitas_assets.dictionary.contracts import Contract, read_contracts
from civitas_assets.dictionary.json_schema import build_json_schema
from civitas_assets.errors import ExportError, PublishError
from civitas_assets.export.terms import read_conditions
from civitas_assets.harmonise.project import Project
from civitas_assets.lifecycle.handover_catalogue import build_dcat_catalogue, render_readme
from civitas_assets.publish.reading import open_published
from civitas_assets.settings import Settings
from civitas_assets.store.files import Files, remove_folder
from civitas_assets.store.journal import Journal
from civitas_assets.store.layout import RecordKeys, TenantFolder, tenant_folder_key
from civitas_assets.store.storage import Storage
from civitas_assets.store.whole_file import sync_folder

log = logging.getLogger("civitas_assets.lifecycle")

CHECKSUMS, PROGRESS = "checksums.sha256", "progress.json"
STORED: Sequence[TenantFolder] = (
    "records",
    "quarantine",
    "retention",
)  # with landing, where that is asked for
_ROWS = 65_536
_CHUNK = 1 << 20
_KEYS_AT_A_TIME = 64


@dataclass
class Handover:
    """What is in the folder: every file with its checksum, and the models with their rows."""

    sums: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def files(self) -> int:
        """How many files there are, the checksums included."""
        return len(self.sums) + 1

    @property
    def bytes(self) -> int:
        """How much they hold."""
        return sum(self.sizes.values())


def hand_over(  # noqa: PLR0917 - each argument is of another type
    settings: Settings,
    storage: Storage,
    project: Project,
    tenant: Tenant,
    folder: Path,
    now: datetime,
    *,
    with_landing: bool = False,
) -> Handover:
    """Write everything of a tenant into a new folder.

    Raises:
        ExportError: the folder is there already, or cannot be written; nothing of it is left.
        TenantBusy: a run is working for the tenant.
    """
    folder = folder.absolute()
    if folder.exists():
        raise ExportError(f"{folder} is there already; name a folder that is not")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        working = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    except OSError as error:
        raise ExportError(f"{folder} cannot be made: {error.strerror}") from error
    try:
        with storage.hold(tenant.slug):
            handed = _filled(working, settings, storage.files, project, tenant, now, with_landing)
        working.chmod(0o750)
        working.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise ExportError(f"{folder} cannot be written: {error.strerror}; nothing of it is left") from error
    finally:
        remove_folder(working)
    return handed


def _filled(  # noqa: PLR0917 - each argument is of another type
    folder: Path,
    settings: Settings,
    files: Files,
    project: Project,
    tenant: Tenant,
    now: datetime,
    with_landing: bool,
) -> Handover:
    handed, contracts = Handover(), read_contracts(project)
    _models(folder / "models", settings, tenant, handed)
    _contracts(folder / "contracts", contracts)
    parts: Sequence[TenantFolder] = (*STORED, "landing") if with_landing else STORED
    for part in parts:
        _stored(folder / part, files, part, tenant.slug)
    if with_landing:
        progress = {name: Journal(files, tenant.slug).read_progress(name) for name in tenant.sources}
        (folder / PROGRESS).write_bytes(msgspec.json.format(msgspec.json.encode(progress), indent=1))
    document = Defaults(settings.tenants_dir).open(locate_file(settings.tenants_dir, tenant.slug))
    (folder / "tenant.yaml").write_bytes(
        document.body
    )  # with what it takes over, which is not handed over itself
    for path in _paths(folder):
        handed.sums[_name(folder, path)], handed.sizes[_name(folder, path)] = _sum(path), path.stat().st_size
    _add(folder, "README.md", render_readme(tenant, now, with_landing=with_landing), handed)
    described = build_dcat_catalogue(tenant, contracts, now, handed.sums, handed.sizes, handed.rows)
    _add(folder, "catalogue.json", json.dumps(described, indent=2, ensure_ascii=False) + "\n", handed)
    lines = [f"{digest}  {name}\n" for name, digest in sorted(handed.sums.items())]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")
    return handed


def _models(folder: Path, settings: Settings, tenant: Tenant, handed: Handover) -> None:
    """The published tables as Parquet, one state of all of them."""
    folder.mkdir()
    try:
        with open_published(settings, tenant.slug) as tables:
            licences = read_conditions(settings, tenant.slug, tables, everything=True).to_json()
            for number, model in enumerate(names := sorted(tables.list_columns()), 1):
                log.info("%s · export · %s (%d of %d)", tenant.slug, model, number, len(names))
                batches = tables.stream(f'select * from "{model}"', [], _ROWS)  # noqa: S608
                rows = 0
                with pq.ParquetWriter(
                    folder / f"{model}.parquet", batches.schema, compression="zstd"
                ) as writer:
                    for batch in batches:
                        writer.write_batch(batch)
                        rows += batch.num_rows
                    writer.add_key_value_metadata({"licences": licences})
                handed.rows[model] = rows
    except PublishError as error:
        raise ExportError(f"{tenant.slug}: what is published cannot be read: {error}") from error


def _contracts(folder: Path, contracts: Mapping[str, Contract]) -> None:
    folder.mkdir()
    for name, contract in contracts.items():
        text = json.dumps(build_json_schema(contract), indent=2, ensure_ascii=False)
        (folder / f"{name}.schema.json").write_text(text + "\n", encoding="utf-8")


def _stored(folder: Path, files: Files, part: TenantFolder, tenant: str) -> None:
    """The tenant's objects, as files of the same names, but not what only this installation needs to go on."""
    prefix, journal = f"{tenant_folder_key(part, tenant)}/", f"{RecordKeys.for_tenant(tenant).journal}/"
    keys = [key for key in files.list_keys(prefix) if not key.startswith(journal)]
    for start in range(0, len(keys), _KEYS_AT_A_TIME):
        if start:
            log.info("export · %s · %d of %d files", folder.name, start, len(keys))
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".copy-") as copies:
            some = keys[start : start + _KEYS_AT_A_TIME]
            for key, path in zip(some, files.fetch_copies(some, Path(copies)), strict=True):
                target = folder / key.removeprefix(prefix)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


def _add(folder: Path, name: str, text: str, handed: Handover) -> None:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    handed.sums[name], handed.sizes[name] = _sum(path), path.stat().st_size


def _paths(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _sum(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
