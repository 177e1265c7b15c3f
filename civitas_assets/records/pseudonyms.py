"""Pseudonyms in the place of ids: HMAC-SHA-256 by a key, another one in each period where that is asked for.

Values are hidden before a row is held against its contract, so that no rejected row and no note has them in clear; the
period follows when the time of the row is known. Which fields are hidden is said by the source.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import polars as pl

from civitas_assets.catalog.handling import Period
from civitas_assets.records.clean_text import to_text
from civitas_assets.records.contract import UTC_TIME, RecordType
from civitas_assets.records.typing import Typed

_LENGTH = 32  # hexadecimal digits: 128 bits
_AT = "@at"


@dataclass(frozen=True)
class Pseudonyms:
    """The pseudonyms of one source: `zone` is the tenant's, whose calendar has the periods."""

    key: bytes
    fields: Sequence[str]
    period: Period
    zone: str
    _FORMS: ClassVar[Mapping[Period, str]] = {
        "year": "%Y", "quarter": "%Y", "month": "%Y-%m", "week": "%G-W%V", "day": "%Y-%m-%d"
    }  # fmt: skip

    def hide(self, table: pl.DataFrame) -> pl.DataFrame:
        """A table of raw rows without the values of the fields: each has a name that only the key leads to."""
        hidden = dict[str, pl.Series]()
        for name in self.fields:
            if name in table.columns:
                texts = to_text(table[name]).str.strip_chars()
                hidden[name] = _replaced(texts, self.hide_values(texts.unique().drop_nulls().to_list()))
        return table.with_columns(**hidden) if hidden else table

    def hide_values(self, values: Sequence[str]) -> dict[str, str]:
        """What stands for each value before its period is known; no value stays none."""
        return {value: _mac(self.key, value) if value else "" for value in values}

    def hide_dated(self, rows: pl.DataFrame, record_type: RecordType) -> pl.DataFrame:
        """Typed rows with the pseudonyms of their periods: those of events, and of things when they were received."""
        names = [name for name in self.fields if name in rows.columns]
        at = record_type.event_time if record_type.event_time in rows.columns else None
        return self._in_periods(rows, names, at) if names and rows.height else rows

    def hide_rejected(self, typed: Typed, table: pl.DataFrame) -> Typed:
        """The same with what is told of rejected rows in the pseudonyms of when they were received."""
        rejected = typed.rejected
        if rejected.is_empty():
            return typed
        hidden = {
            v for name in self.fields if name in table.columns for v in table[name].drop_nulls().unique() if v
        }
        if not hidden:
            return typed
        parts = []
        for (at,), rows in rejected.group_by("received_at", maintain_order=True):
            asked = pl.DataFrame(
                {"v": sorted(hidden), _AT: [at] * len(hidden)}, {"v": pl.String(), _AT: UTC_TIME}
            )
            names = dict(zip(asked["v"], self._in_periods(asked, ["v"], _AT)["v"], strict=True))
            parts.append(
                rows.with_columns(pl.col("detail", "raw").str.replace_many([*names], [*names.values()]))
            )
        return replace(typed, rejected=pl.concat(parts))

    def derive_for_period(self, hidden: str, period: str) -> str:
        """The pseudonym of a period, as `label_periods` calls it."""
        return _mac(self.key, f"{period}\0{hidden}")

    def label_periods(self, times: pl.Series) -> pl.Series:
        """What the period of each time is called."""
        if self.period == "never":
            return pl.Series([""]).new_from_index(0, len(times))
        local = times.dt.convert_time_zone(self.zone)
        text = local.dt.strftime(self._FORMS[self.period])
        if self.period == "quarter":
            quarters = local.dt.quarter().cast(pl.String)
            text = pl.select(pl.concat_str(text, pl.lit("-Q"), quarters)).to_series()
        return text

    def _in_periods(self, rows: pl.DataFrame, names: Sequence[str], at: str | None) -> pl.DataFrame:
        received = rows["received_at"] if "received_at" in rows.columns else rows[_AT]
        times = rows[at] if at is not None else received
        periods = self.label_periods(times.zip_with(times.is_not_null(), received))
        done = {}
        for name in names:
            pairs = pl.DataFrame({"v": rows[name], "p": periods})
            made = pairs.unique().filter(pl.col("v").is_not_null() & (pl.col("v") != ""))
            known = made.with_columns(
                pl.Series(
                    "n",
                    [self.derive_for_period(v, p) for v, p in made.select("v", "p").iter_rows()],
                    pl.String,
                )
            )
            done[name] = pairs.join(known, on=["v", "p"], how="left", maintain_order="left")["n"]
        return rows.with_columns(**done)


def _replaced(texts: pl.Series, names: Mapping[str, str]) -> pl.Series:
    return texts.replace_strict(names, default=None, return_dtype=pl.String)


def _mac(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()[:_LENGTH]
