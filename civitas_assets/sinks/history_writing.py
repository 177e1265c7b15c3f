"""The temporal interface of a context broker as a sink needs it: instances of attributes added, changed, removed, read.

Source: ETSI GS CIM 009 (NGSI-LD), clauses 5.2.20 (EntityTemporal), 5.6.11, 5.6.12 and 5.6.14 to 5.6.16 (provision),
5.7.4 (query), 6.3.10 (parts of answers). There are no batches of several entities: a request has many instances of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from civitas_assets.connectors.base import Payload, Request
from civitas_assets.connectors.ngsi.ngsi_temporal import TemporalSpan, find_remaining_span
from civitas_assets.connectors.transport.http_writer import HttpWriter, WriteReply
from civitas_assets.errors import ExportError, ReadError

LD_JSON = "application/ld+json"
_LINK = '<{}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
_ROOT = "temporal/entities"
_PARTS = 1000  # of an answer; more is a broker that comes no further

Instances = Mapping[str, Sequence[Mapping[str, Any]]]


def build_context_link(context: str) -> str:
    """The header `Link` by which a request without a body of JSON-LD names its context."""
    return _LINK.format(context)


class TemporalInterface:
    """What one broker, or one tenant of it, keeps of its entities over time."""

    def __init__(self, writer: HttpWriter) -> None:
        self._writer = writer

    def add(self, entity: Mapping[str, Any]) -> str:
        """Add instances to an EntityTemporal, which is made where it is not there; why that failed, or an empty text.

        What is added twice is there twice, so that nothing is sent again without having looked.

        Raises:
            ExportError: it does not answer, or has no such operation.
        """
        reply = self._writer.send("POST", _ROOT, entity, LD_JSON)
        if reply.status == 409:  # a broker that only creates here
            path = f"{_ROOT}/{quote(entity['id'], safe=':')}/attrs"
            fragment = {name: part for name, part in entity.items() if name not in {"id", "type"}}
            reply = self._writer.send("POST", path, fragment, LD_JSON)
        if reply.status in {404, 405, 501}:
            raise ExportError(
                f"{_ROOT}: HTTP {reply.status} {reply.reason}; has the broker a temporal interface?"
            )
        return _explain(reply)

    def change(self, entity: Mapping[str, Any], attribute: str, instance: str) -> str:
        """Put what an entity has of one attribute in the place of an instance; why that failed."""
        fragment = {name: entity[name] for name in (attribute, "@context")}
        path = _make_path(entity["id"], attribute, instance)
        return _explain(self._writer.send("PATCH", path, fragment, LD_JSON))

    def remove(self, identity: str, context: str, attribute: str, instance: str) -> str:
        """Remove one instance; why that failed."""
        path = _make_path(identity, attribute, instance)
        reply = self._writer.send("DELETE", path, headers={"Link": build_context_link(context)})
        return "" if reply.status == 404 else _explain(reply)

    def remove_entity(self, identity: str) -> str:
        """Remove all that is kept of an entity over time; why that failed."""
        reply = self._writer.send("DELETE", f"{_ROOT}/{quote(identity, safe=':')}")
        return "" if reply.status == 404 else _explain(reply)

    def read(self, kind: str, context: str, identity: str, start: datetime, end: datetime) -> Instances:
        """The instances of attributes that were observed in a half-open span, by attribute, in a context's terms.

        Raises:
            ExportError: there is no good answer, or one that is a part and does not say of what.
        """
        span: TemporalSpan | None = TemporalSpan(start.astimezone(UTC), end.astimezone(UTC))
        found = dict[str, list[Mapping[str, Any]]]()
        for _ in range(_PARTS):
            if span is None:
                return found
            path = f"{_ROOT}?{span.query(kind, identity)}"
            reply = self._writer.send("GET", path, headers={"Link": build_context_link(context)})
            if reply.status == 404:  # brokers know no tenant, or entity, to which nothing was given yet
                return found
            entities = reply.decode()
            if not reply.ok or not isinstance(entities, list):
                raise ExportError(f"{_ROOT}?id={identity}: HTTP {reply.status} {reply.reason}".strip())
            for entity in entities:
                _gather(entity, found, start, end)
            try:
                span = find_remaining_span(_to_payload(reply, span))
            except ReadError as error:
                raise ExportError(f"{_ROOT}?id={identity}: {error}") from None
        raise ExportError(f"{_ROOT}?id={identity}: is in more than {_PARTS:,} parts")


def _explain(reply: WriteReply) -> str:
    return "" if reply.ok else f"HTTP {reply.status} {reply.reason}".strip()


def _make_path(*parts: str) -> str:
    identity, attribute, instance = (quote(part, safe=":") for part in parts)
    return f"{_ROOT}/{identity}/attrs/{attribute}/{instance}"


def _to_payload(reply: WriteReply, span: TemporalSpan) -> Payload:
    """The answer as the connector reads it, which knows how brokers part theirs."""
    headers = {"content-range": reply.content_range} if reply.content_range else {}
    request = Request("", variables=span.variables())
    return Payload(request, reply.body, span.start, headers=headers, status=reply.status)


def _gather(
    entity: Mapping[str, Any], found: dict[str, list[Mapping[str, Any]]], start: datetime, end: datetime
) -> None:
    """Add the instances of the span that are not there yet; parts of an answer may overlap."""
    for name, content in entity.items():
        for part in content if isinstance(content, list) else [content]:
            moment = parse_observed_at(part) if isinstance(part, Mapping) else None
            if (
                moment is not None
                and start <= moment < end
                and part not in (known := found.setdefault(name, []))
            ):
                known.append(part)


def parse_observed_at(part: Mapping[str, Any]) -> datetime | None:
    """When an instance was observed; None where that is not said."""
    try:
        moment = datetime.fromisoformat(str(part.get("observedAt")))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
