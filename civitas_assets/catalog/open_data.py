"""What a tenant says for a public catalogue of its open data: who publishes, whom to ask, and where the data are.

Which of its tables are open follows from `share` and the licences of its sources; how a catalogue looks is in `dcat`.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from civitas_assets.catalog.basis import Model

# Addresses stand in the catalogue for everybody: no login, no query that could hold a token, nothing an IRI forbids.
PublicAddress = Annotated[str, Field(pattern=r'^https?://[^\s#?@<>"{}|\\^`]+$')]
DownloadFormat = Literal["csv", "geojson", "geoparquet"]
FolderFormat = Literal["csv", "geojson", "parquet"]
# Models that can fall under one of the categories of the Implementing Regulation (EU) 2023/138.
HighValue = Literal["air_quality_observed", "noise_level_observed", "water_observed", "weather_observed"]


class Publisher(Model):
    """Who publishes."""

    name: str = Field(min_length=1, description="Name of the body that publishes.")
    url: PublicAddress | None = Field(None, description="Its page.")


class ContactPoint(Model):
    """Whom to ask about the data: an office, not a person."""

    name: str = Field(min_length=1, description="Name of the office.")
    email: str | None = Field(
        None, pattern=r"^[\w.+-]+@[\w-]+(\.[\w-]+)+$", description="Its e-mail address."
    )
    url: PublicAddress | None = Field(None, description="Its page or form.")

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.email is None and self.url is None:
            raise ValueError("needs email or url")
        return self


class Downloads(Model):
    """Where files of `civitas export` can be fetched, as `<url>/<model>.csv`."""

    url: PublicAddress = Field(description="Address of the folder.")
    formats: tuple[DownloadFormat, ...] = Field(
        ("csv",), min_length=1, description="What lies there: csv, geojson, geoparquet."
    )


class Folder(Model):
    """The files of a tenant's open tables that this deployment makes each night and serves."""

    formats: tuple[FolderFormat, ...] = Field(
        ("csv", "geojson", "parquet"),
        min_length=1,
        description="What is made: csv, geojson where rows have a position of their own, parquet.",
    )
    access: Literal["everybody", "login"] = Field(
        "everybody", description="Who may fetch them: everybody, or who may see the tenant's morning page."
    )


class OpenData(Model):
    """What a public catalogue needs to know; publisher, contact and landing page it cannot do without."""

    publisher: Publisher | None = Field(None, description="Who publishes.")
    contact: ContactPoint | None = Field(None, description="Whom to ask about the data.")
    landing_page: PublicAddress | None = Field(
        None, description="Page of the open data; also the beginning of the catalogue's identifiers."
    )
    downloads: Downloads | None = Field(None, description="Where exported files can be fetched.")
    folder: Folder | None = Field(
        None, description="Files that this deployment makes each night and serves; instead of downloads."
    )
    contributor: str | None = Field(
        None,
        pattern=r'^http://dcat-ap\.de/def/contributors/[^\s<>"{}|\\^`]+$',
        description="GovData's identifier of who delivers the catalogue.",
    )
    high_value: tuple[HighValue, ...] = Field(
        (), description="Tables that are high-value datasets by the Implementing Regulation (EU) 2023/138."
    )

    @model_validator(mode="after")
    def _lie_in_one_place(self) -> Self:
        if self.folder is not None and self.downloads is not None:
            raise ValueError("has folder and downloads: files lie in one place; keep one of the two")
        return self

    @property
    def missing(self) -> list[str]:
        """The keys without which there is no catalogue and that nobody has set."""
        wanted = ("publisher", "contact", "landing_page")
        return [f"open_data.{name}" for name in wanted if getattr(self, name) is None]
