"""Servers that get a tenant's published data beside its destination, kept up to date by what has changed.

What a server gets, and how, is in the package `sinks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from civitas_assets.catalog.access import HttpPolicy, SecretRef
from civitas_assets.catalog.basis import Model
from civitas_assets.catalog.window import Duration


class SensorThingsSink(Model):
    """A server of the SensorThings API 1.1 that takes entities, such as FROST."""

    kind: Literal["sensorthings"] = Field(description="The protocol.")
    url: Annotated[str, Field(pattern=r'^https?://[^\s?#@<>"{}|\\^`]+$')] = Field(
        description="The root of the service, as https://frost.example/FROST-Server/v1.1."
    )
    headers: Mapping[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")], str | SecretRef] = Field(
        {}, description="Request headers, such as Authorization."
    )
    times: Literal["interval", "start"] = Field(
        "interval",
        description="Phenomenon times as intervals, or their start alone, for a server that takes no intervals.",
    )
    look_back: Duration = Field(
        "14 days",
        validate_default=True,
        description="How far back days are compared with what the server was given.",
    )
    http: HttpPolicy = Field(
        HttpPolicy(requests_per_second=100), description="How politely and how patiently it is written to."
    )
