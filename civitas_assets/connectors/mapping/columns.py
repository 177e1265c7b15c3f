"""Names of columns: the same to a file and to a tenant, whatever blanks, quotes and marks are in them.

Which field a column fills is in `tabular.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from civitas_assets.records.clean_text import clean_text

_QUOTES = "\"'`´„“”‚‘’«»‹› "


def normalise_column_name(text: str) -> str:
    """A name in one line: letters composed, every run of blanks one blank, nothing that cannot be seen."""
    return " ".join(clean_text(text).split())


@dataclass(frozen=True)
class Header:
    """The names of a table's columns in their order, each once; a column without a name has none.

    `written` are the names as the file has them, `twice` those that several columns bear.
    """

    names: tuple[str, ...]
    written: tuple[str, ...]
    twice: frozenset[str] = frozenset()


def match_header(
    written: Sequence[str], wanted: Iterable[str], aliases: Mapping[str, Sequence[str]] | None = None
) -> Header:
    """The names of columns, in the spelling of those that are wanted; `aliases` are other names of wanted ones."""
    spellings = {_key(name): name for name in wanted}
    names = [spellings.get(_key(name), normalise_column_name(name)) for name in written]
    for name, others in (aliases or {}).items():
        keys = {_key(other) for other in others}
        if name not in names:
            names = [name if _key(found) in keys else found for found in names]
    counts = Counter(filter(None, names))
    twice = frozenset(name for name, count in counts.items() if count > 1)
    met, once = Counter[str](), list[str]()
    for name in names:
        met[name] += 1
        once.append(f"{name} ({met[name]})" if name and met[name] > 1 else name)
    return Header(tuple(once), tuple(written), twice)


def _key(name: str) -> str:
    """What two spellings of a name have in common."""
    return normalise_column_name(name).strip(_QUOTES) or normalise_column_name(name)
