"""What the written times of a source mean, declared without contradiction.

Reading by such a rule is in `records/time.py`.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from civitas_assets.catalog.basis import Model
from civitas_assets.catalog.pattern import check_time_pattern, has_offset
from civitas_assets.catalog.window import Duration

FORMS = ("iso", "epoch_s", "epoch_ms", "period")


class TimeRule(Model):
    """What the times of a source mean; nothing about them is guessed."""

    zone: Literal["utc", "offset", "cet_fixed", "local_wall", "received"] = Field(
        description=(
            "utc: written without offset, meant as UTC. offset: each time carries its own. "
            "cet_fixed: UTC+1 all year. local_wall: the tenant's wall clock. "
            "received: the data has no time, the time of reception stands for it."
        )
    )
    column: str | None = Field(None, description="Native field that holds the time.")
    columns: tuple[str, ...] = Field(
        (), description="Instead of column, in a table: several, whose cells joined by a blank are the time."
    )
    format: str = Field(
        "iso", description="iso, epoch_s, epoch_ms, period, or a pattern such as '%d.%m.%Y %H:%M'."
    )
    stamp: Literal["instant", "interval_start", "interval_end"] = Field(
        "instant", description="What the written time marks."
    )
    interval: Duration | None = Field(None, description="Length of the interval that a value stands for.")
    fold: Literal["first", "second", "by_order", "summed", "reject"] = Field(
        "reject",
        description=(
            "The hour that the wall clock shows twice. first, second: that pass. by_order: as the rows come. "
            "summed: one row holds both passes. reject: quarantine."
        ),
    )
    hour24: bool = Field(False, description="Whether 24:00 may be written for the end of a day.")

    @property
    def written(self) -> tuple[str, ...]:
        """The native fields that together hold the time; none where the data has no time."""
        return self.columns or ((self.column,) if self.column is not None else ())

    @property
    def counted(self) -> bool:
        """Whether times are numbers counted from 1970 in UTC."""
        return self.format in {"epoch_s", "epoch_ms"}

    @field_validator("format")
    @classmethod
    def _tried(cls, form: str) -> str:
        fault = None if form in FORMS else check_time_pattern(form)
        if fault is not None:
            raise ValueError(f"{fault} (given: {form!r}; known besides patterns: {', '.join(FORMS)})")
        return form

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.column is not None and self.columns:
            raise ValueError("column and columns say the same: keep one of them")
        if self.zone != "received" and not self.written:
            raise ValueError("column is needed: the native field that holds the time")
        if self.zone == "offset" and self.format == "period":
            raise ValueError("a period has no offset: zone says on whose clock it begins")
        if self.format not in FORMS and self.zone != "received":
            if self.zone == "offset" and not has_offset(self.format):
                raise ValueError(
                    "format needs %z (or %Z for CET, CEST, MEZ and MESZ) with zone: offset, since each time carries "
                    "its own"
                )
            if self.zone != "offset" and has_offset(self.format):
                raise ValueError(
                    f"format reads an offset from each time, which zone: {self.zone} would leave out: "
                    "write zone: offset"
                )
        if self.counted and self.zone in {"cet_fixed", "local_wall"}:
            raise ValueError(f"{self.format} counts in UTC whatever a clock shows: write zone: utc")
        if self.stamp != "instant" and self.interval is None:
            raise ValueError(f"interval is needed with stamp: {self.stamp}")
        if self.format == "period" and (self.stamp == "interval_end" or self.interval is not None):
            raise ValueError("a period says itself how long it is: leave out stamp and interval")
        if self.hour24 and (self.counted or self.format == "period" or self.zone in {"offset", "received"}):
            raise ValueError("hour24 has a meaning only for a wall clock: zone utc, cet_fixed or local_wall")
        if self.fold != "reject" and self.zone != "local_wall":
            raise ValueError("fold has a meaning only with zone: local_wall")
        if self.fold == "summed" and self.interval is None:
            raise ValueError("interval is needed with fold: summed")
        return self
