"""A proposal for a body: the first draft that reads it, as YAML, with what came of reading it.

Fetching the body is not done here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from civitas_assets.catalog import Box, Source, Tenant
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import ReadError
from civitas_assets.ingest.probe import Probe, read_sample
from civitas_assets.propose.mapping import Draft, drafts
from civitas_assets.propose.position import GERMANY
from civitas_assets.propose.sample import Sample, sample_of
from civitas_assets.propose.vocabulary import words_of
from civitas_assets.propose.writing import written

_PLACE = "https://SERVER.example/PATH"
_LICENCE = "which one does the publisher name? `proprietary` is for none"
_FEW = 0.3  # of the rows: a draft that is rejected no more is believed


@dataclass(frozen=True)
class Proposal:
    """The block for a tenant's file, and what it makes of the sample.

    `unused` are columns that nothing was made of.
    """

    name: str
    yaml: str
    record_type: str
    rows: int
    probe: Probe
    unused: tuple[str, ...]

    @property
    def accepted(self) -> int:
        """How many records of the record type there are."""
        found = self.probe.records.get(self.record_type)
        return 0 if found is None else found.height


def propose(body: bytes, address: str, folder: Path, tenant: Tenant | None = None) -> Proposal:
    """What a body from this address, or file, seems to be.

    Raises:
        ReadError: it has another form than CSV, JSON and GeoJSON, or nothing in it is recognised.
    """
    sample = sample_of(body)
    box: Box = tenant.bbox if tenant is not None else GERMANY
    owner = tenant or Tenant.model_validate({"name": "Sample", "ags": "00000000", "bbox": GERMANY}).keyed(
        "sample"
    )
    name = _name(address)
    best: Proposal | None = None
    for draft in drafts(sample, box, address):
        found = _tried(name, draft, sample, body, address, folder, owner)
        if found is not None and (best is None or found.accepted > best.accepted):
            best = found
        if found is not None and found.accepted and found.probe.rejected.height <= max(1, _FEW * sample.rows):
            best = found
            break
    if best is None:
        names = ", ".join(column.name for column in sample.columns[:20])
        raise ReadError(
            f"has {sample.rows} rows with {names}, but what they are is not recognised: map them by hand"
        )
    return best


def _tried(  # noqa: PLR0917 - each argument is of another type
    name: str, draft: Draft, sample: Sample, body: bytes, address: str, folder: Path, tenant: Tenant
) -> Proposal | None:
    settings, doubts = _whole(name, draft, sample, address)
    connector = CONNECTORS[sample.connector]
    try:
        source: Source = connector.source_model.model_validate(_tuples(settings)).placed(name, tenant.bbox)
    except ValidationError:
        return None
    probe = read_sample(tenant, source, connector, body, folder)
    used = {*_texts(settings)}
    unused = tuple(c.name for c in sample.columns if c.name not in used and not _matched(settings, c.name))
    return Proposal(name, written(name, settings, doubts), draft.record_type, sample.rows, probe, unused)


def _whole(name: str, draft: Draft, sample: Sample, address: str) -> tuple[dict[str, Any], dict[str, str]]:
    is_address = bool(re.match("https?://", address))
    settings: dict[str, Any] = {
        "title": " ".join(words_of(name)).title() or name,
        "connector": sample.connector,
        "licence": "proprietary",
        "url": address if is_address else _PLACE,
        **draft.settings,
    }
    doubts = {"licence": _LICENCE, **draft.doubts}
    if not is_address:
        doubts["url"] = "where is it fetched from?"
    return settings, doubts


def _name(address: str) -> str:
    """A source's name made of the last part of an address."""
    path = re.sub(r"^https?://", "", address).split("?")[0].rstrip("/")
    stem = re.sub(r"\.\w{1,8}$", "", path.replace("\\", "/").rpartition("/")[2])
    words = "_".join(words_of(stem)) or "source"
    return (words if words[0].isalpha() else f"source_{words}")[:48].strip("_")


def _tuples(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _tuples(part) for key, part in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield value


def _matched(settings: Mapping[str, Any], column: str) -> bool:
    unpivot = settings.get("unpivot")
    return (column == "@feature" and "feature_id" in settings) or (
        unpivot is not None and re.fullmatch(unpivot["columns"], column) is not None
    )
