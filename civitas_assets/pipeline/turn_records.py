"""What turns from the shell have said, kept until Dagster takes it into its history.

Loading Dagster and writing its events costs more than a quiet night: whoever has it loaded anyway does it. A record has
all that the history is to show, and goes once it is in there.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from civitas_assets.pipeline.results import Result
from civitas_assets.store.files import Files
from civitas_assets.store.layout import tenant_folder_key
from civitas_assets.store.nights import Night, decode_night
from civitas_assets.store.stored_record import read_stored_record

_ALL = "turns/"


class TurnRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A turn that is over; its times are seconds of the epoch, by the machine's clock.

    `unseen` are assets that it was not about, `workspace` is what can be looked at where a test was broken.
    """

    run_id: str
    tenant: str
    started_at: float
    ended_at: float
    results: tuple[Result, ...] = ()
    errors: tuple[str, ...] = ()
    failed: bool = False
    is_through: bool = True
    unseen: tuple[str, ...] = ()
    workspace: str = ""
    night: Night | None = None


class _OfNight(msgspec.Struct):
    night: msgspec.Raw


class TurnRecords:
    """The records that wait, of all tenants or of one."""

    def __init__(self, files: Files, tenant: str = "") -> None:
        self._files, self._root = files, f"{tenant_folder_key('turns', tenant)}/" if tenant else _ALL

    def add(self, record: TurnRecord) -> None:
        """Keep one."""
        key = f"{tenant_folder_key('turns', record.tenant)}/{record.ended_at:017.6f}-{record.run_id}.json"
        self._files.write(key, msgspec.json.encode(record))

    def list_keys(self) -> Sequence[str]:
        """Those that wait, in the order in which they ended."""
        return sorted(self._files.list_keys(self._root), key=lambda key: key.rpartition("/")[2])

    def read(self, key: str) -> TurnRecord | None:
        """One of them; None where another process has taken it meanwhile, or it is no record at all."""
        return read_stored_record(self._files, key, _decode, "record of a run, and the history lacks it")

    def delete(self, key: str) -> None:
        """Forget one."""
        self._files.delete(key)


def _decode(body: bytes) -> TurnRecord:
    record = msgspec.json.decode(body, type=TurnRecord)
    if record.night is None or record.night.steps:
        return record
    # Or of the version before, in other words.
    return msgspec.structs.replace(record, night=decode_night(msgspec.json.decode(body, type=_OfNight).night))
