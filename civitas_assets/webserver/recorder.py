"""Records what people change in Dagster's UI: each GraphQL mutation, and each report of an asset from outside.

Questions are not recorded. Who asks is the login that the proxy hands over, where `CIVITAS_UI_USER_HEADER` names it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from civitas_assets.audit.log_redaction import redact_value
from civitas_assets.audit.record import Record
from civitas_assets.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_ASKED = 16 * 1024 * 1024  # bytes of a body
_MOST_ANSWERED = 1024 * 1024  # bytes of an answer that is looked at
_REPORTS = "/report_asset_"


@dataclass(frozen=True)
class _Deed:
    """What somebody asks to be changed: names of mutations with their variables, or the path of a report."""

    action: str
    arguments: Any


class RequestRecorder:
    """An ASGI application in front of Dagster's, behind the guard."""

    def __init__(self, app: ASGIApp, settings: Settings, prefix: str = "") -> None:
        self._app = app
        self._settings = settings
        self._graphql, self._reports = f"{prefix}/graphql", f"{prefix}{_REPORTS}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand over, and record what changes something, before and after."""
        path = scope.get("path", "")
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        body = await _body_of(receive)
        if body is None:
            await PlainTextResponse("Refused: the request is too large\n", 413)(scope, receive, send)
            return
        deed = _mutations(body) if path == self._graphql else None
        if path.startswith(self._reports):
            deed = _Deed(
                path.rsplit("/", maxsplit=1)[0].lstrip("/"),
                redact_value({"path": path, "body": _plain(body)}),
            )
        if deed is None:
            await self._app(scope, _again(body, receive), send)
            return
        await self._recorded(deed, scope, _again(body, receive), send)

    async def _recorded(self, deed: _Deed, scope: Scope, receive: Receive, send: Send) -> None:
        record = Record(self._settings, "ui", self._user(scope), deed.action, deed.arguments)
        await asyncio.to_thread(record.begin)
        answer = _Answer(send)
        try:
            await self._app(scope, receive, answer)
        finally:
            error = sys.exception()
            outcome = answer.outcome() if error is None else f"failed: {type(error).__name__}"
            await asyncio.to_thread(record.end, outcome)

    def _user(self, scope: Scope) -> str:
        name = self._settings.ui_user_header
        given = Headers(scope=scope).get(name, "") if name else ""
        return given[:200] or f"unknown at {(scope.get('client') or ('', 0))[0]}"


@dataclass
class _Answer:
    """Passes an answer on, and looks at its beginning for what became of the mutations."""

    send: Send
    status: int = 0
    body: bytearray = field(default_factory=bytearray)

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body" and len(self.body) <= _MOST_ANSWERED:
            self.body += message.get("body", b"")
        await self.send(message)

    def outcome(self) -> str:
        """`ok`, the types of what Dagster has answered, or the status."""
        if self.status != 200:
            return f"status {self.status}"
        data = _plain(bytes(self.body))
        if not isinstance(data, Mapping):
            return "ok"
        if data.get("errors"):
            return "errors"
        results = [value for value in (data.get("data") or {}).values() if isinstance(value, Mapping)]
        types = [str(value["__typename"]) for value in results if "__typename" in value]
        failed = [
            kind for kind in types if kind.endswith(("Error", "Failure", "NotFound", "Invalid", "Conflict"))
        ]
        return ", ".join(failed) or "ok"


def _mutations(body: bytes) -> _Deed | None:
    """The mutations that a GraphQL request asks for; None where it only asks questions, or cannot be read."""
    if b"mutation" not in body and b"\\u" not in body:
        return None
    asked = _plain(body)
    if not isinstance(asked, Mapping) or not isinstance(query := asked.get("query"), str):
        return None
    if "mutation" not in query:
        return None
    try:
        document = parse(query, no_location=True)
    except GraphQLError:
        return None
    wanted = asked.get("operationName")
    for operation in document.definitions:
        if (
            isinstance(operation, OperationDefinitionNode)
            and operation.operation is OperationType.MUTATION
            and (not wanted or (operation.name and operation.name.value == wanted))
        ):
            named = [getattr(part, "name", None) for part in operation.selection_set.selections]
            names = tuple(name.value for name in named if name)
            written = [str(query)] if not asked.get("variables") else []
            return _Deed(" ".join(names) or "mutation", redact_value(asked.get("variables") or written))
    return None


def _plain(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


async def _body_of(receive: Receive) -> bytes | None:
    parts, length = list[bytes](), 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        if length > _MOST_ASKED:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """What hands over the body that was read already, and after it what comes."""
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receiving() -> Message:
        return whole.pop() if whole else await receive()

    return receiving
