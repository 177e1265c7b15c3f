"""What a kind of device sends, as a tenant declares it: which values are observations, of what, and in which unit.

How the values are found in uplinks is in `lorawan_values.py` and `lorawan_readings.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from civitas_assets.catalog.model import Model
from civitas_assets.connectors.mapping.paths import is_plain, validate_path

MESSAGES = "messages"  # where SenseCAP's codecs put their values


class Quantity(Model):
    """One value that a kind of device sends: where it is, what it is, and its unit."""

    path: Annotated[str, AfterValidator(validate_path)] | None = Field(
        None, description="Where the value is in object or decoded_payload: a dotted path or JMESPath."
    )
    measurement: str | None = Field(
        None, description="Instead of path: the measurementId in the messages of SenseCAP devices."
    )
    name: str = Field(
        "", description="Name of the datastream, and the end of its id; default: the path or id."
    )
    observed_property: str = Field(min_length=1, description="Name or code of the property.")
    unit: str = Field(description="Unit of the value, after the factor.")
    factor: float = Field(1.0, description="What a number is multiplied by.")
    nulls: tuple[str, ...] = Field(
        (), description="Texts that mean 'no value' here; numbers are compared as such."
    )
    f_port: int | None = Field(None, ge=0, le=255, description="Only in frames of this port.")
    readings: Annotated[str, AfterValidator(validate_path)] | None = Field(
        None,
        description="Where a list of readings is, each with a time of its own, in which path is: buffered ones, or "
        "normalized_payload of The Things Stack.",
    )
    time: Annotated[str, AfterValidator(validate_path)] = Field(
        "time", description="With readings: where the time is in each of them."
    )

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if (self.path is None) == (self.measurement is None):
            raise ValueError("either path or measurement says where the value is")
        if self.readings is not None and self.path is None:
            raise ValueError("readings needs path, which is in each of them")
        if self.path is not None and not is_plain(self.path) and not self.name:
            raise ValueError(f"name is needed where path is an expression: {self.path}")
        return self

    @property
    def key(self) -> str:
        """The end of its datastreams' ids."""
        return self.name or self.path or self.measurement or ""

    @property
    def used(self) -> set[str]:
        """The paths that it reads, and the words of an expression, so that they are not reported as unread."""
        if self.path is None:
            return {MESSAGES}
        if self.readings is not None:
            start = f"{self.readings}[]" if is_plain(self.readings) else ""
            return {f"{start}.{path}" for path in (self.path, self.time)} | self._words(self.readings)
        return {self.path} | self._words(self.path)

    def _words(self, path: str) -> set[str]:
        return set() if is_plain(path) else {*re.findall(r"\w+", path)}


Profiles = Mapping[str, tuple[Quantity, ...]]
