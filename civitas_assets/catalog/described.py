"""Files whose address is in an answer, such as what a catalogue says of one resource, and may be another each night.

How the answer is read is in `connectors/mapping/described_file.py`.
"""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from civitas_assets.catalog.handling import Handling


class Described(Handling):
    """What may say where it is: a source of files, whose address is in what is answered at `url`."""

    link: str | None = Field(
        None,
        pattern=r"^\w+(\.\w+|\[\d+\])*$",
        description="Path of the file's address in what url answers, such as result.url of CKAN's resource_show.",
    )

    takes_files: ClassVar[bool] = False

    @model_validator(mode="after")
    def _link_leads_to_a_file(self) -> Self:
        if self.link is None:
            return self
        if not self.takes_files or str(getattr(self, "url", "")).startswith("drop:"):
            raise ValueError("link is for csv, excel, json, geojson and geofile that are fetched")
        if getattr(self, "next", None) is not None:
            raise ValueError("link leads to one file and next to pages: keep one of them")
        return self
