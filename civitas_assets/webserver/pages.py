"""The morning pages below `/morning`: behind the login that is in front of the UI, each for those whose it is.

Where the proxy hands over the groups of whoever asks (`CIVITAS_UI_GROUPS_HEADER`), a tenant's page is for its group and
for those that see all; without that, whoever reaches the UI, which shows all tenants, reaches all pages.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from civitas_assets.catalog.basis import is_key
from civitas_assets.errors import CivitasError
from civitas_assets.report.kept_pages import PATH, Pages
from civitas_assets.settings import Settings
from civitas_assets.webserver.groups import may_see, read_groups

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_NAME = re.compile(r"index(\.[a-z]{2})?\.html")
_HEADERS = {"Cache-Control": "private, no-cache"}
_ABSENT = "There is no such page; a tenant has one once it has run.\n"


class MorningPages:
    """An ASGI application in front of Dagster's, behind the guard.

    Args:
        app: Dagster's application.
        settings: Of this deployment.
        pages: Opens what is kept, when the first page is asked for.
        prefix: The path below which the application answers, as `--path-prefix` says.
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, pages: Callable[[], Pages], prefix: str = ""
    ) -> None:
        self._app, self._settings, self._pages = app, settings, pages
        self._path = f"{prefix}{PATH}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Show a page, or hand over."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not (path == self._path or path.startswith(f"{self._path}/")):
            await self._app(scope, receive, send)
            return
        if scope["method"] not in {"GET", "HEAD"}:
            answer: Response = PlainTextResponse("Pages are only read.\n", 405, {"Allow": "GET, HEAD"})
        else:
            answer = await asyncio.to_thread(
                self._answer, path.removeprefix(self._path), Headers(scope=scope)
            )
        await answer(scope, receive, send)

    def _answer(self, path: str, headers: Headers) -> Response:
        tenant, _, name = path.removeprefix("/").rpartition("/")
        if not path.startswith("/") or (not name and path != "/" and not path.endswith("/")):
            return RedirectResponse(f"{self._path}/")
        if (tenant and not is_key(tenant)) or not _NAME.fullmatch(name or "index.html"):
            # A key without anything behind it is meant as the tenant's page, whose links are relative.
            return RedirectResponse(f"{self._path}/{name}/") if not tenant and is_key(name) else _absent()
        groups = read_groups(self._settings, headers)
        if groups is not None and not may_see(self._settings, groups, tenant):
            return self._own(groups) if not tenant else _refused()
        try:
            body = self._pages().read(f"{tenant}/{name or 'index.html'}" if tenant else name or "index.html")
        except (CivitasError, OSError):
            return PlainTextResponse(
                "The pages cannot be read now; the log of the webserver has more.\n", 503
            )
        return HTMLResponse(body, headers=_HEADERS) if body is not None else _absent()

    def _own(self, groups: set[str]) -> Response:
        """The way to the pages of those who see some tenants only."""
        pattern = re.escape(self._settings.pages_group).replace(r"\{tenant\}", "(.+)")
        found = (re.fullmatch(pattern, group) for group in sorted(groups))
        tenants = [match[1] for match in found if match and is_key(match[1])]
        if not tenants:
            return _refused()
        if len(tenants) == 1:
            return RedirectResponse(f"{self._path}/{tenants[0]}/")
        links = "".join(f'<li><a href="{escape(slug)}/">{escape(slug)}</a></li>' for slug in tenants)
        title = "Morgenseiten"
        return HTMLResponse(
            f'<!doctype html><html lang="de"><head><meta charset="utf-8"><title>{title}</title></head>'
            f"<body><main><h1>{title}</h1><ul>{links}</ul></main></body></html>\n",
            headers=_HEADERS,
        )


def _absent() -> Response:
    return PlainTextResponse(_ABSENT, 404)


def _refused() -> Response:
    return PlainTextResponse("Refused: this page is for other groups than yours.\n", 403)
