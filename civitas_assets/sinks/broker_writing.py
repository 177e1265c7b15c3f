"""A context broker as a sink needs it: entities put there and taken away many at a time, and read by their ids.

Source: ETSI GS CIM 009 (NGSI-LD), clauses 5.2.16 and 5.2.17 (results of batches), 6.4 (entities), 6.15 and 6.17 (batch
upsert and delete). An upsert puts the whole entity, so that it may be repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from civitas_assets.connectors.transport.http_writer import HttpWriter, WriteReply
from civitas_assets.errors import ExportError
from civitas_assets.sinks.history_writing import LD_JSON, TemporalInterface, build_context_link

_ADDRESS = 1800  # characters of ids in an address; servers and what stands before them take 2,000
_ABSENT = frozenset({404, 405, 501})


@dataclass(frozen=True)
class BatchAnswer:
    """What a broker says against entities of a batch, by id; `is_of_all` where it refuses the request as a whole."""

    refused: Mapping[str, str]
    is_of_all: bool = False


class ContextBroker:
    """One broker, or one tenant of it; `history` is its temporal interface."""

    def __init__(self, writer: HttpWriter) -> None:
        self._writer, self.history = writer, TemporalInterface(writer)

    def upsert(self, entities: Sequence[bytes], identities: Sequence[str]) -> BatchAnswer:
        """Put entities of JSON-LD, each as a whole.

        Raises:
            ExportError: it does not answer, or has no such operation.
        """
        content = [msgspec.Raw(entity) for entity in entities]
        reply = self._writer.send("POST", "entityOperations/upsert", content, LD_JSON, is_repeatable=True)
        return self._list_refused("entityOperations/upsert", reply, identities)

    def delete(self, identities: Sequence[str]) -> BatchAnswer:
        """Remove entities.

        Raises:
            ExportError: it does not answer, or has no such operation.
        """
        reply = self._writer.send("POST", "entityOperations/delete", [*identities], is_repeatable=True)
        return self._list_refused("entityOperations/delete", reply, identities)

    def read(self, kind: str, context: str, identities: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Those of the entities that are there, by id, in the terms of a context.

        Raises:
            ExportError: there is no good answer.
        """
        found = dict[str, Mapping[str, Any]]()
        for part in _cut(identities):
            ids = ",".join(quote(identity, safe=":") for identity in part)
            path = f"entities?type={quote(kind)}&id={ids}&limit={len(part)}"
            reply = self._writer.send("GET", path, headers={"Link": build_context_link(context)})
            if reply.status == 404:  # brokers know no tenant to which nothing was given yet
                continue
            entities = reply.decode()
            if not reply.ok or not isinstance(entities, list):
                raise ExportError(f"entities?type={kind}: HTTP {reply.status} {reply.reason}".strip())
            found |= {
                entity["id"]: entity for entity in entities if isinstance(entity, dict) and "id" in entity
            }
        return found

    def _list_refused(self, path: str, reply: WriteReply, identities: Sequence[str]) -> BatchAnswer:
        if reply.status == 207:
            said = reply.decode()
            errors = said.get("errors") if isinstance(said, dict) else None
            return BatchAnswer(dict(self._read_errors(errors if isinstance(errors, list) else ())))
        if reply.status in _ABSENT:
            raise ExportError(
                f"{path}: HTTP {reply.status} {reply.reason}; is there an NGSI-LD broker at url:, with its /ngsi-ld/v1?"
            )
        if reply.ok:
            return BatchAnswer({})
        why = f"HTTP {reply.status} {reply.reason}".strip()
        return BatchAnswer(dict.fromkeys(identities, why), is_of_all=True)

    def _read_errors(self, errors: Sequence[Any]) -> Iterator[tuple[str, str]]:
        """What a result of a batch says of entities that were refused."""
        for each in errors:
            if isinstance(each, dict) and isinstance(each.get("entityId"), str):
                problem = each.get("error")
                parts = (
                    [problem.get(name) for name in ("title", "detail")]
                    if isinstance(problem, dict)
                    else [problem]
                )
                text = ": ".join(str(part) for part in parts if part) or "refused without a reason"
                yield each["entityId"], self._writer.redact_text(text)[:300]


def _cut(identities: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many ids at once as an address bears."""
    part, size = list[str](), 0
    for identity in identities:
        length = len(quote(identity, safe=":")) + 1
        if part and size + length > _ADDRESS:
            yield part
            part, size = [], 0
        part.append(identity)
        size += length
    if part:
        yield part
