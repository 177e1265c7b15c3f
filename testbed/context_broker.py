"""A context broker with the part of NGSI-LD that a sink and a connector need, as ETSI GS CIM 009 is read here.

No broker installs from a package, and none was compared with this one. Names are expanded with the context of the
request, as JSON-LD does it, but from the address of the context instead of its content: an answer in another context
has other names. Clauses: 4.5 and 5.2 (representation), 5.5.4 (what a bad request is), 5.6.8 and 5.6.10 (batches), 6.3
(headers), 6.4, 6.15 and 6.17 (HTTP).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from testbed.context_history import BrokerHistory
from testbed.serving import Loopback, Request

CORE = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"
_ERRORS = "https://uri.etsi.org/ngsi-ld/errors"
_CORE_TERMS = frozenset(
    {"location", "observationSpace", "operationSpace", "createdAt", "modifiedAt", "description", "title"}
)
_MEMBERS = {
    "Property": "value",
    "GeoProperty": "value",
    "Relationship": "object",
    "LanguageProperty": "languageMap",
}
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_WHEN = "2026-07-03T05:00:00.000Z"


class _BadRequestError(Exception):
    """What the broker answers as BadRequestData."""


@dataclass
class Broker:
    """Entities with expanded names by tenant and id; `refuse` says why an entity is not taken, empty where it is.

    With `is_strict`, one entity that is refused has the whole request refused. `drop` are ids that are answered with
    success and not kept. `history` is the temporal interface, which not every broker has; with `keeps_history` it also
    gets what an upsert brings.
    """

    entities: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    refuse: Callable[[Mapping[str, Any]], str] = lambda _: ""
    is_strict: bool = False
    drop: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    history: BrokerHistory | None = None
    keeps_history: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def upsert(self, tenant: str, content_type: str, link: str, body: Any) -> tuple[int, Any]:
        """Clause 6.15.3.1: each entity is created, or put in the place of the one that is there."""
        if link and content_type == "application/ld+json":
            raise _BadRequestError("@context by a header beside a body that is application/ld+json")
        if content_type != "application/ld+json" and any("@context" in each for each in body):
            raise _BadRequestError("@context in a body that is application/json")
        if not isinstance(body, list) or not body:
            raise _BadRequestError("the body is no array of entities")
        created, updated, errors = list[str](), list[str](), list[dict[str, Any]]()
        known = self.entities.setdefault(tenant, {})
        for given in body:
            why = _find_fault(given, content_type) or self.refuse(given)
            if why and self.is_strict:
                raise _BadRequestError(why)
            if why:
                problem = {"type": f"{_ERRORS}/BadRequestData", "title": "Bad request", "detail": why}
                errors.append({"entityId": given.get("id"), "error": problem})
                continue
            (updated if given["id"] in known else created).append(given["id"])
            if given["id"] not in self.drop:
                known[given["id"]] = _expand(given)
                if self.history is not None and self.keeps_history:
                    self.history.record(known[given["id"]])
        if errors:
            return 207, {"success": created + updated, "errors": errors}
        return (201, created) if created else (204, None)

    def delete(self, tenant: str, body: Any) -> tuple[int, Any]:
        """Clause 6.17.3.1."""
        known, success, errors = self.entities.get(tenant, {}), list[str](), list[dict[str, Any]]()
        for identity in body:
            if known.pop(identity, None) is not None:
                success.append(identity)
            else:
                errors.append({"entityId": identity, "error": {"title": "Entity not found"}})
        return (207, {"success": success, "errors": errors}) if errors else (204, None)

    def query(self, tenant: str, asked: Mapping[str, Sequence[str]], context: str) -> tuple[list[Any], int]:
        """Clause 6.4.3.2: a page of entities of some types or ids, in a context's terms, and how many there are."""
        if tenant and tenant not in self.entities:
            raise LookupError(tenant)
        if not {"type", "id"} & asked.keys():
            raise _BadRequestError("neither type nor id")
        kinds = [_expand_name(kind, context) for text in asked.get("type", ()) for kind in text.split(",")]
        ids = [key for text in asked.get("id", ()) for key in text.split(",")]
        found = [
            _compact(entity, context)
            for key, entity in sorted(self.entities.get(tenant, {}).items())
            if (not ids or key in ids) and (not kinds or entity["type"] in kinds)
        ]
        offset, limit = int(asked.get("offset", ["0"])[0]), int(asked.get("limit", ["20"])[0])
        return found[offset : offset + limit], len(found)

    def ask_history(
        self,
        history: BrokerHistory,
        asked: tuple[str, Sequence[str]],
        *,
        content: Any,
        context: str,
        query: str,
    ) -> tuple[int, Any, str]:
        """Clauses 6.18 to 6.22: status, answer, and the range of a part; `asked` is method and path below it."""
        match asked:
            case "POST", []:
                contexts = content["@context"]
                named = contexts[0] if isinstance(contexts, list) else contexts
                try:
                    is_new = history.add(
                        content, lambda name: _expand_name(name, named), _find_fault_of_attribute
                    )
                except ValueError as error:
                    raise _BadRequestError(str(error)) from None
                return 201 if is_new else 204, None, ""
            case "GET", []:
                said = parse_qs(query)
                start, end = (datetime.fromisoformat(said[name][0]) for name in ("timeAt", "endTimeAt"))
                kind = _expand_name(said["type"][0], context)
                found, part = history.query(said["id"][0].split(","), kind, (start, end))
                shown = [
                    {_compact_name(name, context): value for name, value in entity.items()}
                    | {"type": _compact_name(entity["type"], context)}
                    for entity in found
                ]
                return 206 if part else 200, shown, part
            case "PATCH", [identity, "attrs", name, instance]:
                named = content["@context"][0]
                history.change(identity, _expand_name(name, named), instance, content[name])
            case "DELETE", [identity, "attrs", name, instance]:
                history.remove(identity, _expand_name(name, context), instance)
            case "DELETE", [identity]:
                if history.kept.pop(identity, None) is None:
                    raise LookupError(identity)
            case _:
                raise LookupError(asked)
        return 204, None, ""


@contextmanager
def start_broker(broker: Broker) -> Iterator[str]:
    """The root of its interface, until the end."""

    def handle(request: Request) -> None:
        url = urlsplit(request.path)
        size = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(size)
        tenant, link = request.headers.get("NGSILD-Tenant", ""), request.headers.get("Link", "")
        context = link.partition("<")[2].partition(">")[0] or CORE
        operation = url.path.removeprefix("/ngsi-ld/v1/")
        headers = dict[str, str]()
        with broker.lock:
            broker.asked.append((request.command, operation))
            try:
                if (request.command, operation) == ("POST", "entityOperations/upsert"):
                    status, said = broker.upsert(
                        tenant, request.headers["Content-Type"], link, json.loads(body)
                    )
                elif (request.command, operation) == ("POST", "entityOperations/delete"):
                    status, said = broker.delete(tenant, json.loads(body))
                elif (request.command, operation) == ("GET", "entities"):
                    said, count = broker.query(tenant, parse_qs(url.query), context)
                    status, headers["NGSILD-Results-Count"] = 200, str(count)
                elif operation.startswith("temporal/entities") and broker.history is not None:
                    path = [unquote(part) for part in operation.split("/")[2:]]
                    content = json.loads(body) if body else None
                    status, said, part = broker.ask_history(
                        broker.history,
                        (request.command, path),
                        content=content,
                        context=context,
                        query=url.query,
                    )
                    headers |= {"Content-Range": part} if part else {}
                else:
                    status, said = 404, {"title": "Not found"}
            except _BadRequestError as error:
                status, said = 400, {"title": "Bad request", "detail": str(error)}
            except LookupError:
                status, said = 404, {"title": "No such tenant"}
        _answer(request, status, said, headers)

    class Handler(Request):
        def do_GET(self) -> None:
            handle(self)

        def do_POST(self) -> None:
            handle(self)

        def do_PATCH(self) -> None:  # noqa: N802
            handle(self)

        def do_DELETE(self) -> None:  # noqa: N802
            handle(self)

        def log_message(self, *_: object) -> None:
            pass

    with closing(Loopback(Handler)) as server:
        yield f"http://127.0.0.1:{server.port}/ngsi-ld/v1"


def _answer(request: Request, status: int, said: Any, headers: Mapping[str, str]) -> None:
    body = b"" if said is None else json.dumps(said).encode()
    request.send_response(status, HTTPStatus(status).phrase)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Type", "application/json")
    if status != 204:
        request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def _find_fault(given: Mapping[str, Any], content_type: str) -> str:
    """Why a representation is none of an entity (clause 4.5.1); empty where it is one."""
    if content_type == "application/ld+json" and "@context" not in given:
        return "no @context in a body that is application/ld+json"
    if not _URI.fullmatch(str(given.get("id"))):
        return f"{given.get('id')} is no URI"
    if not isinstance(given.get("type"), str):
        return "no type"
    attributes = {name: part for name, part in given.items() if name not in {"id", "type", "@context"}}
    return next(filter(None, map(_find_fault_of_attribute, attributes, attributes.values())), "")


def _find_fault_of_attribute(name: str, attribute: Any) -> str:
    member = _MEMBERS.get(str(attribute.get("type"))) if isinstance(attribute, dict) else None
    if member is None or attribute.get(member) is None:
        return f"{name} is no attribute"
    if member == "object" and not _URI.fullmatch(str(attribute["object"])):
        return f"the object of {name} is no URI"
    if attribute["type"] == "GeoProperty" and "coordinates" not in attribute["value"]:
        return f"{name} is no geometry"
    return ""


def _expand(given: Mapping[str, Any]) -> dict[str, Any]:
    """An entity as a broker keeps it: expanded names, and when it was made."""
    contexts = given["@context"]
    context = contexts[0] if isinstance(contexts, list) else contexts
    kept = {
        _expand_name(name, context): {**attribute, "modifiedAt": _WHEN}
        for name, attribute in given.items()
        if name not in {"id", "type", "@context"}
    }
    return {"id": given["id"], "type": _expand_name(given["type"], context), "modifiedAt": _WHEN, **kept}


def _expand_name(name: str, context: str) -> str:
    return name if name in _CORE_TERMS or ":" in name else f"{context}#{name}"


def _compact_name(name: str, context: str) -> str:
    return name.removeprefix(f"{context}#")


def _compact(entity: Mapping[str, Any], context: str) -> dict[str, Any]:
    """An entity in the terms of a context; without system attributes, which nobody asks for."""

    found = {"id": entity["id"], "type": _compact_name(entity["type"], context)}
    for name, attribute in entity.items():
        if isinstance(attribute, dict):
            shown = {key: value for key, value in attribute.items() if key != "modifiedAt"}
            if "observedAt" in shown:  # brokers write more digits than they were given
                shown["observedAt"] = shown["observedAt"].removesuffix("Z") + ".000Z"
            found[_compact_name(name, context)] = shown
    return found
