"""What an observation of SensorThings says of its quality: DQ elements, codes, words and numbers, as marks in text.

The standard leaves open what a `resultQuality` holds. What a mark means is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

# Between marks, and between a mark and the name of what it is about; the models take them apart again.
_BETWEEN, _ABOUT = "; ", ": "
_MOST, _DEEPEST = 500, 10  # characters of all marks of a value, and levels of its elements

_NAMES = ("nameOfMeasure", "name", "measure")
_RESULTS = frozenset(
    {
        *("DQ_Result", "dqResult", "result", "results", "value", "values", "code", "label", "pass"),
        *("resultQuality", "DQ_Element", "quality"),
    }
)
_REMARKS = frozenset(
    {
        *("type", "@type", "@context", "id", "@id", "comment", "description", "definition", "explanation"),
        *("specification", "unit", "unitOfMeasurement", "valueUnit", "uom", "dateTime", "date", "dateInfo"),
        *("measureDescription", "measureIdentification", "evaluationMethod", "evaluationMethodType"),
        *("evaluationMethodDescription", "scope", "codeSpace", "codeList", "url"),
    }
)


def format_quality_marks(qualities: Sequence[Any]) -> pl.Series:
    """The marks of each value, such as `DQ_Status: bad; DQ_Level: 2`; null where nothing is said."""
    known = dict[bytes, str | None]()
    texts = list[str | None]()
    for quality in qualities:
        key = msgspec.json.encode(quality)
        if key not in known:
            known[key] = _BETWEEN.join(dict.fromkeys(_marks(quality, "", 0)))[:_MOST] or None
        texts.append(known[key])
    return pl.Series("quality_native", texts, pl.String)


def _marks(quality: Any, about: str, depth: int) -> Iterator[str]:
    if isinstance(quality, str) and quality.lstrip().startswith(("{", "[")):
        quality = _decoded(quality)
    if isinstance(quality, Mapping) and depth < _DEEPEST:
        name = next((quality[key] for key in _NAMES if isinstance(quality.get(key), str)), about)
        found = list[str]()
        for key, value in quality.items():
            if key == "pass" and isinstance(value, bool):
                found += _marks("pass" if value else "fail", name, depth + 1)
            elif key in _RESULTS:
                found += _marks(value, name, depth + 1)
            elif key not in _REMARKS and key not in _NAMES:
                found += _marks(value, key, depth + 1)
        yield from found or ([_written(name, about)] if name != about else [])
    elif isinstance(quality, list) and depth < _DEEPEST:
        for part in quality:
            yield from _marks(part, about, depth + 1)
    elif text := _text(quality):
        yield _written(text, about)


def _written(mark: str, about: str) -> str:
    return f"{about}{_ABOUT}{mark}" if about else mark


def _text(quality: Any) -> str:
    if quality is None:
        return ""
    if isinstance(quality, float) and quality.is_integer():
        quality = int(quality)
    return " ".join((quality if isinstance(quality, str) else msgspec.json.encode(quality).decode()).split())


def _decoded(text: str) -> Any:
    """JSON in a text, else the text, whose first sign then is one of its own."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
