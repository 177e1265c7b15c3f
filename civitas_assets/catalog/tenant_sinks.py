"""Servers that get a tenant's published data beside its destination, kept up to date by what has changed.

What a server gets, and how, is in the package `sinks`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from civitas_assets.catalog.access import HttpPolicy, SecretRef
from civitas_assets.catalog.basis import Model, Slug
from civitas_assets.catalog.window import Duration

Address = Annotated[str, Field(pattern=r'^https?://[^\s?#@<>"{}|\\^`]+$')]


class _Sink(Model):
    """What all sinks say: where the server is, how it is written to, and how far back."""

    headers: Mapping[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")], str | SecretRef] = Field(
        {}, description="Request headers, such as Authorization."
    )
    look_back: Duration = Field(
        "14 days",
        validate_default=True,
        description="How far back days are compared with what the server was given.",
    )
    http: HttpPolicy = Field(
        HttpPolicy(requests_per_second=100), description="How politely and how patiently it is written to."
    )


class SensorThingsSink(_Sink):
    """A server of the SensorThings API 1.1 that takes entities, such as FROST."""

    kind: Literal["sensorthings"] = Field(description="The protocol.")
    url: Address = Field(description="The root of the service, as https://frost.example/FROST-Server/v1.1.")
    times: Literal["interval", "start"] = Field(
        "interval",
        description="Phenomenon times as intervals, or their start alone, for a server that takes no intervals.",
    )


class NgsiLdSink(_Sink):
    """A context broker that has NGSI-LD, such as Orion-LD, Scorpio or Stellio."""

    kind: Literal["ngsi_ld"] = Field(description="The protocol.")
    url: Address = Field(description="The root of the interface, as https://broker.example/ngsi-ld/v1.")
    models: Annotated[Sequence[Slug], Field(min_length=1)] = Field(
        description="Shared models that it gets, of those that civitas export ngsi-ld knows."
    )
    entities: Literal["latest", "each"] = Field(
        "latest",
        description="Of what was observed, an entity for each thing with its last values, or for each row.",
    )
    broker_tenant: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,48}$")] | None = Field(
        None, description="Tenant of the broker: the header NGSILD-Tenant."
    )
    context: Address | None = Field(
        None,
        description="Address of the JSON-LD context that names types and attributes, in the place of the models' own.",
    )
    temporal: bool = Field(
        False,
        description="Whether the temporal interface gets every value of the days that are compared, with its time.",
    )
    batch: Annotated[int, Field(ge=1, le=1000)] = Field(100, description="Entities of a request.")

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        if self.temporal and self.entities == "each":
            raise ValueError(
                "temporal needs entities: latest, since an entity of each row has no more than one time"
            )
        return self


Sink = Annotated[SensorThingsSink | NgsiLdSink, Field(discriminator="kind")]
