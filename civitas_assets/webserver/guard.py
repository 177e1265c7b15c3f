"""Who may ask the webserver: its own pages, and programs that are no browser; never another page in a browser.

Dagster answers GraphQL by GET and by POST of any form, and looks at no origin: a page that somebody visits could start
runs with that person's login. Here it is answered by POST of JSON alone, from the origin under which it is served.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OPEN = "/server_info"  # versions alone: what a probe asks by the address of a pod
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_ON_ALL_ANSWERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class OwnOrigin:
    """An ASGI application in front of Dagster's.

    Args:
        app: Dagster's application.
        url: The address under which people reach the UI.
        prefix: The path below which the application answers, as `--path-prefix` says.
        hosts: Further names under which it is reached; loopback always is.
    """

    def __init__(self, app: ASGIApp, url: str, prefix: str = "", hosts: Iterable[str] = ()) -> None:
        self._app = app
        self._public = _origin(url)
        self._graphql = f"{prefix}/graphql"
        self._open = f"{prefix}{_OPEN}"
        own = self._public[1] if self._public else ""
        self._hosts = _LOOPBACK | {own.lower(), *(host.lower() for host in hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand over."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, _marked(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": _text(refusal)[:120]})
        else:
            await refusal(scope, receive, _marked(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers, path = Headers(scope=scope), scope["path"]
        is_graphql = path == self._graphql
        method = scope.get("method", "GET")
        reason = "" if path == self._open else self._foreign_host(headers)
        if not reason and (is_graphql or method not in {"GET", "HEAD"}):
            reason = self._foreign_page(headers)
        if reason:
            return PlainTextResponse(f"Refused: {reason}\n", 403)
        if is_graphql and scope["type"] == "http":
            if method != "POST":
                return PlainTextResponse(
                    "Refused: GraphQL is answered by POST alone\n", 405, {"Allow": "POST"}
                )
            if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
                return PlainTextResponse("Refused: GraphQL is answered as application/json alone\n", 415)
        return None

    def _foreign_host(self, headers: Mapping[str, str]) -> str:
        """A name that leads here and is not ours is another page's, whose name has been pointed to us."""
        host = _origin(f"//{headers.get('host', '')}")
        if host and host[1] in self._hosts:
            return ""
        return "this host is not one under which the UI is served; see CIVITAS_UI_URL and CIVITAS_UI_HOSTS"

    def _foreign_page(self, headers: Mapping[str, str]) -> str:
        """Browsers say where a request comes from; what says nothing is no browser, and no page stands behind it."""
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return "the request comes from another origin"
        given = headers.get("origin")
        if given is None:
            return ""
        origin = _origin(given)
        if origin is None:
            return "the origin is not one under which the UI is served"
        # Behind a proxy that ends TLS and keeps the name, the scheme is not seen here.
        here = _origin(f"{origin[0]}://{headers.get('host', '')}")
        if origin == self._public or (origin == here and origin[1] in self._hosts):
            return ""
        return "the origin is not one under which the UI is served"


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an address; None where it has none of them, such as `null`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    return (parts.scheme, host, port or _DEFAULT_PORTS.get(parts.scheme, 0)) if host else None


def _marked(send: Send) -> Send:
    """Answers with the headers that keep other pages from showing or reading them."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _ON_ALL_ANSWERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def _text(response: Response) -> str:
    return bytes(response.body).decode().strip()
