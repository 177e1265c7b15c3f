"""Reads a sample some times with the build in whose environment it runs, and prints the least processor time.

Everything between a landed body and the record store is measured: decoding, typing, and what is told of both. Only what
older builds have, too, is used here.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

os.environ["POLARS_MAX_THREADS"] = "1"
NOW = datetime(2026, 8, 1, tzinfo=UTC)
BOX = (9.0, 50.0, 9.2, 50.2)


def read(
    settings: dict[str, Any], role: str, bodies: list[tuple[dict[str, str], bytes]], times: int
) -> list[float]:
    """Processor seconds of each reading."""
    from civitas_assets.catalog import Tenant  # noqa: PLC0415 - which build it is, only the environment says
    from civitas_assets.connectors.registry import CONNECTORS  # noqa: PLC0415
    from civitas_assets.ingest import read as reading  # noqa: PLC0415
    from civitas_assets.store import landing as store  # noqa: PLC0415 - which has lines of manifests, or their name
    from civitas_assets.store.files import LocalFiles  # noqa: PLC0415
    from civitas_assets.store.journal import Progress  # noqa: PLC0415
    from civitas_assets.store.stores import Stores  # noqa: PLC0415

    rows = dict[str, int]()

    class Keeper:
        """Keeps nothing, so that reading alone is measured."""

        def __init__(self, *_: Any) -> None:
            rows.clear()

        def store(self, record_type: Any, records: Any) -> None:
            rows[record_type.name] = rows.get(record_type.name, 0) + records.height

        def keep(self, _: Any) -> None:
            pass

        def reject(self, rejected: Any) -> None:
            rows["rejected"] = rows.get("rejected", 0) + rejected.height

    setattr(reading, "Keeper", Keeper)  # noqa: B010 - a stand-in that is typed otherwise
    if apart := sys.modules.get("civitas_assets.ingest.apart"):
        apart._reader.is_child = True  # all is read by this process, whose time is what is counted
    connector: Any = CONNECTORS[settings["connector"]]
    general = {"title": "Sample", "licence": "CC0-1.0", "url": "https://data.example"}
    model = connector.source_model.model_validate(_frozen(general | settings))
    with_place = _named(model, "with_place", "placed")
    place = with_place("s", BOX) if with_place else model.model_copy(update={"name": "s"})
    told = Tenant.model_validate({"name": "Town", "ags": "99000097", "bbox": BOX, "sources": {"s": place}})
    tenant = _named(told, "with_key", "keyed")("town")
    source = tenant.sources["s"]
    spent = []
    with tempfile.TemporaryDirectory() as folder:
        files = LocalFiles(Path(folder))
        landing = store.SourceLanding(files, "town", "s")
        lines = [
            getattr(store, "Line")(  # noqa: B009 - as its name
                url=f"https://data.example/{number}",
                state="stored",
                status=200,
                fetched_at=NOW,
                config="",
                sha256=landing.store(body),
                bytes=len(body),
                role=role,
                variables=variables,
            )
            for number, (variables, body) in enumerate(bodies)
        ]
        write: Any = landing.write_manifest
        write(
            *[NOW][: len(signature(write).parameters) - 1], lines
        )  # older builds order manifests by a clock
        for _ in range(times):
            stores = _named(Stores, "for_tenant", "of")(files, "town")
            given = tenant, source, connector, landing, stores, "run"
            manifests = _named(landing, "list_manifests", "manifests")
            if hasattr(reading, "SourceReading"):
                reader = reading.SourceReading.for_source(*given)
                read_them = partial(getattr(reading, "read_manifests"), reader)  # noqa: B009 - as older builds have none
            else:
                reader = getattr(reading, "SourceReader")(*given)  # noqa: B009 - of older builds
                read_them = reader.read
            gc.collect()
            started = time.process_time()
            read_them(manifests(), Progress())
            spent.append(time.process_time() - started)
            assert reader.report.ok, reader.report.errors
    assert rows, "nothing was read"
    assert not rows.get("rejected"), rows
    return spent


def _named(thing: Any, *names: str) -> Any:
    """What has the first of these names that is there: the last ones are those of older builds."""
    return next((getattr(thing, name) for name in names if hasattr(thing, name)), None)


def _frozen(value: Any) -> Any:
    """With tuples, which the models ask for, in place of lists."""
    if isinstance(value, dict):
        return {name: _frozen(part) for name, part in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def main() -> None:
    """Read the sample that a file holds, on one core."""
    name, times = sys.argv[1:]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    head, _, rest = Path(name).read_bytes().partition(b"\n")
    about = json.loads(head)
    bodies = []
    for variables, size in about["bodies"]:
        bodies.append((variables, rest[:size]))
        rest = rest[size:]
    print(json.dumps(read(about["settings"], about["role"], bodies, int(times))))


if __name__ == "__main__":
    main()
