"""What a server was given in a run, and what it did not take."""

from __future__ import annotations

from dataclasses import dataclass, field

_MOST = 50  # sentences about one kind of fault; a server may refuse every row


@dataclass
class SinkReport:
    """What a server was given: rows, called `unit`, that were made, changed and deleted.

    `entities` are those that describe rows, where the protocol has such. `refused` are sentences about what the server
    did not take, `left_out` why rows were not offered. `history` counts values that were given with their time, where
    the server has an interface of its own for these.
    """

    unit: str = "observations"
    entities: int = 0
    created: int = 0
    changed: int = 0
    deleted: int = 0
    days: int = 0
    refused: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    unnamed: int = 0
    history: SinkReport | None = None

    @property
    def has_written(self) -> bool:
        """Whether the server was given anything."""
        own = self.entities or self.created or self.changed or self.deleted
        return bool(own or (self.history is not None and self.history.has_written))

    def refuse(self, sentence: str) -> None:
        """Note what the server did not take; of very many, the first ones are named and the others counted."""
        if len(self.refused) < _MOST:
            self.refused.append(sentence)
        else:
            self.unnamed += 1
            said = f"and {self.unnamed:,} more"
            self.refused[_MOST:] = [said]

    def summarise(self) -> str:
        """One line about what was given."""
        rows = f"{self.created:,} {self.unit} made, {self.changed:,} changed, {self.deleted:,} deleted"
        if self.history is not None:
            rows = f"{rows}; {self.history.summarise()}"
        return f"{self.entities} entities, {rows}" if self.unit == "observations" else rows
