"""What came of discovering: proposals, what could not be read and why, and what is new or gone since the last time.

The file of it is JSON, so that the next time can be compared with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from civitas_assets.errors import ReadError

State = Literal["proposed", "configured", "unread", "not_looked_at"]


@dataclass(frozen=True)
class DatasetFinding:
    """One dataset, or national service, that concerns the tenant, and what came of it.

    `detail` says why where it was not read, and what it is where it was; `records` counts what a sample gave.
    """

    catalogue: str
    dataset: str
    title: str
    url: str
    state: State
    detail: str
    relevance: str = ""
    record_type: str = ""
    records: int = 0
    rejected: int = 0
    score: float = 0.0
    name: str = ""
    yaml: str = field(default="", compare=False)


@dataclass(frozen=True)
class Difference:
    """What the last file did not have, and what it had besides: titles, by catalogue and dataset."""

    new: Sequence[str]
    gone: Sequence[str]


def select_proposals(findings: Iterable[DatasetFinding]) -> list[DatasetFinding]:
    """Those with a proposal, the best first."""
    proposed = [finding for finding in findings if finding.state == "proposed"]
    return sorted(proposed, key=lambda finding: (-finding.score, finding.title, finding.url))


def compare_findings(before: Sequence[DatasetFinding], now: Sequence[DatasetFinding]) -> Difference:
    """What has come and gone between two times; of a catalogue that was not asked now, nothing is gone."""
    asked = {finding.catalogue for finding in now}
    old, new = _by_dataset(before), _by_dataset(now)
    return Difference(
        [new[key] for key in sorted(new.keys() - old.keys())],
        [old[key] for key in sorted(old.keys() - new.keys()) if key[0] in asked],
    )


def _by_dataset(findings: Iterable[DatasetFinding]) -> Mapping[tuple[str, str], str]:
    return {(finding.catalogue, finding.dataset): finding.title for finding in findings}


def read_findings(file: Path) -> list[DatasetFinding] | None:
    """What a file of the last time holds; None where there is none.

    Raises:
        ReadError: it is no such file.
    """
    if not file.exists():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[DatasetFinding])
    except (OSError, msgspec.DecodeError) as error:
        raise ReadError(f"{file} is no file of civitas discover: {error}") from None


def write_findings(file: Path, findings: Sequence[DatasetFinding]) -> None:
    """Write them in an order that stays, and at once, so that a file is there whole or as it was.

    Raises:
        ReadError: it cannot be written.
    """
    ordered = sorted(findings, key=lambda finding: (finding.catalogue, finding.dataset, finding.url))
    new = file.with_name(f".{file.name}.new")
    try:
        new.write_bytes(msgspec.json.format(msgspec.json.encode(ordered), indent=2) + b"\n")
        new.replace(file)
    except OSError as error:
        raise ReadError(f"{file} cannot be written: {error.strerror}") from None
