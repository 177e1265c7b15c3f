"""The folders of open data: below `/open` for everybody, below `/morning/<tenant>/open` for who may see its pages.

Nothing that a request says of a login counts below `/open`, since no login stands in front of it: a folder that is not
for everybody is not there. Files have a tag that changes with their content alone, and are sent from any byte on.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse

from civitas_assets.catalog.basis import is_key
from civitas_assets.errors import CivitasError
from civitas_assets.report.kept_pages import PATH as PAGES
from civitas_assets.settings import Settings
from civitas_assets.store.files import Files
from civitas_assets.store.open_folder import OpenFile, OpenFolder
from civitas_assets.webserver.groups import may_see, read_groups

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_ATTEMPTS = 2  # a change may come between the index and the file
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_FOR_ALL = {
    "Cache-Control": "public, max-age=300",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Accept-Ranges, Content-Range, ETag",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_FOR_SOME = {"Cache-Control": "private, no-cache"}


class OpenFiles:
    """An ASGI application in front of the pages, behind the guard.

    Args:
        app: What answers everything else.
        settings: Of this deployment.
        files: Opens the stores, when the first file is asked for.
        prefix: The path below which the application answers, as `--path-prefix` says.
        is_guarded: Whether a login stands in front of the pages; without one, only what is for everybody is there.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        files: Callable[[], Files],
        prefix: str = "",
        *,
        is_guarded: bool = True,
    ) -> None:
        self._app, self._settings, self._files, self._is_guarded = app, settings, files, is_guarded
        self._public = re.compile(rf"{re.escape(prefix)}/open/([^/]*)(?:/([^/]*))?")
        self._guarded = re.compile(rf"{re.escape(prefix + PAGES)}/([^/]*)/open(?:/([^/]*))?")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a file, or hand over."""
        path = scope.get("path", "")
        is_public = self._public.fullmatch(path)
        asked = is_public or (self._guarded.fullmatch(path) if self._is_guarded else None)
        if scope["type"] != "http" or asked is None:
            await self._app(scope, receive, send)
            return
        if scope["method"] not in {"GET", "HEAD"}:
            answer: Response = PlainTextResponse("Files are only read.\n", 405, {"Allow": "GET, HEAD"})
        elif asked[2] is None:  # the page's links are relative
            answer = RedirectResponse(f"{path}/")
        else:
            answer = await asyncio.to_thread(
                self._answer, asked[1], asked[2] or "index.html", scope, is_public is not None
            )
        await answer(scope, receive, send)

    def _answer(self, tenant: str, name: str, scope: Scope, is_public: bool) -> Response:
        headers, body_is_asked = Headers(scope=scope), scope["method"] == "GET"
        if not is_key(tenant):
            return _absent()
        if not is_public:
            groups = read_groups(self._settings, headers)
            if groups is not None and not may_see(self._settings, groups, tenant):
                return PlainTextResponse("Refused: these files are for other groups than yours.\n", 403)
        try:
            for _ in range(_ATTEMPTS):
                folder = OpenFolder(self._files(), tenant)
                index = folder.read_index()
                if index is None or name not in index.files or (is_public and index.access != "everybody"):
                    return _absent()
                kept = _FOR_ALL if is_public else _FOR_SOME
                found = _send_file(folder, index.files[name], headers, kept, body_is_asked)
                if found is not None:
                    return found
        except (CivitasError, OSError):
            pass
        return PlainTextResponse("The file cannot be read now; try again later.\n", 503)


def _send_file(
    folder: OpenFolder, file: OpenFile, headers: Headers, kept: Mapping[str, str], body_is_asked: bool
) -> Response | None:
    """The file or what was asked of it; None where it is not there any more."""
    given = {
        **kept,
        "ETag": f'"{file.digest}"',
        "Last-Modified": format_datetime(file.changed_at.astimezone(UTC), usegmt=True),
        "Accept-Ranges": "bytes",
    }
    if _is_known(file, headers):
        return Response(status_code=304, headers=given)
    span = _find_span(file, headers)
    if span is None:
        return Response(status_code=416, headers={**given, "Content-Range": f"bytes */{file.size}"})
    first, size = span
    given["Content-Length"], given["Content-Type"], status = str(size), file.media_type, 200
    if size < file.size:
        given["Content-Range"], status = f"bytes {first}-{first + size - 1}/{file.size}", 206
    if not body_is_asked:
        return Response(status_code=status, headers=given)
    parts = folder.read_parts(file, first, size)
    return StreamingResponse(parts, status_code=status, headers=given) if parts is not None else None


def _is_known(file: OpenFile, headers: Headers) -> bool:
    """Whether who asks has this very content; a tag goes before a time."""
    if tags := headers.get("if-none-match"):
        return any(tag.strip().removeprefix("W/") in {"*", f'"{file.digest}"'} for tag in tags.split(","))
    since = _parse_time(headers.get("if-modified-since", ""))
    return since is not None and file.changed_at.replace(microsecond=0) <= since


def _parse_time(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _find_span(file: OpenFile, headers: Headers) -> tuple[int, int] | None:
    """First byte and number of bytes: all, unless one range of this content is asked for; None if it has no such."""
    match = _RANGE.fullmatch(headers.get("range", ""))
    if (
        match is None
        or match[0] == "bytes=-"
        or headers.get("if-range", f'"{file.digest}"') != f'"{file.digest}"'
    ):
        return 0, file.size
    if not match[1]:
        size = min(int(match[2]), file.size)
        return (file.size - size, size) if size else None
    first, last = int(match[1]), min(int(match[2]) if match[2] else file.size, file.size - 1)
    return (first, last - first + 1) if first <= last else None


def _absent() -> Response:
    return PlainTextResponse("There is no such file.\n", 404)
