"""The small object that says which version of a published DuckDB file readers get, and what that says of itself."""

from __future__ import annotations

import msgspec

from civitas_assets.dictionary.contracts import Contract
from civitas_assets.errors import PublishError
from civitas_assets.publish.duckdb.published_file import Statement
from civitas_assets.store.stored_record import DAMAGED

POINTER = "current.json"
REMOVE_POINTER = "remove that object to have it made anew by the next run"


class Pointer(msgspec.Struct, frozen=True):
    """Which object is published, and what it says of itself, so that nobody fetches it to ask that.

    `fences` counts how often it was put again as it was, so that who has read it before cannot move it any more.
    """

    key: str
    size: int
    publication: str
    contracts: msgspec.Raw
    fences: int = 0

    def read_contracts(self) -> dict[str, Contract] | None:
        """The contracts that the tables follow; None where they are not said, or in the form of another release."""
        try:
            return msgspec.json.decode(self.contracts, type=dict[str, Contract] | None)
        except DAMAGED:
            return None


def make_pointer(key: str, size: int, statement: Statement) -> Pointer:
    """The pointer to a version of so many bytes that says this of itself."""
    contracts = None if statement.contracts is None else dict(statement.contracts)
    return Pointer(key, size, statement.publication, msgspec.Raw(msgspec.json.encode(contracts)))


def decode_pointer(body: bytes, address: str) -> Pointer:
    """The pointer at an address.

    Raises:
        PublishError: it is damaged.
    """
    try:
        return msgspec.json.decode(body, type=Pointer)
    except DAMAGED as error:
        raise PublishError(f"{address} is damaged ({error}); {REMOVE_POINTER}") from error
