"""When two spellings of a property, a unit or a mark of quality are the same: what nobody means to tell apart by them.

The macro `spelling` of the dbt project, which decides what values mean, does the same.
"""

from __future__ import annotations

import unicodedata

_LOOKALIKES = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "º": "°", "˚": "°", "∘": "°"})
_MEANT = str.maketrans(
    {
        "μ": "u",
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
        "\N{DIVISION SLASH}": "/",
        "\N{FRACTION SLASH}": "/",
    }
    # Signs of powers and of multiplication, which say nothing more than a blank does.
    | dict.fromkeys("^·⋅∙\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}")
)


def normalise_spelling(native: str) -> str:
    """A spelling without regard to case, blanks, raised powers and how umlauts, degrees and micro are written."""
    text = unicodedata.normalize("NFC", native).lower().translate(_LOOKALIKES)
    text = unicodedata.normalize("NFKC", text).lower().translate(_MEANT)
    return "".join(text.split())
