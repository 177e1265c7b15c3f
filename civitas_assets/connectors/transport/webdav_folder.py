"""A folder of a WebDAV server (RFC 4918): PROPFIND says what is in it, GET what a file holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, unquote, urlsplit
from xml.etree.ElementTree import Element

from civitas_assets.catalog.file_server import FileAddress
from civitas_assets.catalog.model import Source
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.content.trusted_xml import XML_FAULTS, parse_xml
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.connectors.transport.http_deadline import Deadline
from civitas_assets.connectors.transport.remote_folder import RemoteFile, check_count
from civitas_assets.errors import FetchError, HttpStatusError
from civitas_assets.spool import Body, measure_body

_ASKED = (
    b'<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/>'
    b"<D:getcontentlength/><D:getlastmodified/><D:getetag/></D:prop></D:propfind>"
)
_HEADERS = {"Depth": "1", "Content-Type": 'application/xml; charset="utf-8"'}


class WebdavFolder:
    """See `RemoteFolder`; headers, login and certificate are those of the source."""

    def __init__(self, address: FileAddress, source: Source, client: HttpClient, until: Deadline) -> None:
        scheme = "https" if address.scheme == "webdavs" else "http"
        path = f"{quote(address.folder)}/" if address.folder else ""
        self._root = f"{scheme}://{address.site}/{path}"
        # What is listed and is not there is no period that may be absent, but at fault.
        self._source = source.model_copy(update={"url": self._root, "not_found": "fail"})
        self._client, self._until = client, until

    def list_files(self) -> Sequence[RemoteFile]:
        """See `RemoteFolder`."""
        request = Request(self._root, headers=_HEADERS, method="PROPFIND", content=_ASKED)
        try:
            body = self._client.get(request, self._source, until=self._until).body or b""
        except HttpStatusError as error:
            if error.status not in {200, 400, 405, 501}:
                raise
            raise FetchError(f"{self._root} is no folder of WebDAV: {error}") from error
        try:
            root = parse_xml(body)
        except XML_FAULTS as error:
            raise FetchError(f"{self._root} lists its files in no XML that can be trusted: {error}") from None
        responses = root.findall("{DAV:}response")
        check_count(len(responses), self._root)
        placed = [(*_split(response), response) for response in responses]
        own = unquote(urlsplit(self._root).path).strip("/")
        if placed and not any(own in {folder, f"{folder}/{name}".strip("/")} for folder, name, _ in placed):
            folder, name, _ = placed[0]
            raise FetchError(
                f"{self._root} lists nothing that is in it, but /{folder}/{name}: correct url:, or have the server say "
                "its addresses as they are seen from here"
            )
        found = (_describe(name, response) for folder, name, response in placed if name and folder == own)
        return [file for file in found if file is not None]

    def read_file(self, file: RemoteFile, most: int) -> Body | None:
        """See `RemoteFolder`; the client of HTTP bounds the answer by the policy of the source."""
        request = Request(f"{self._root}{quote(file.name, safe='')}")
        answer = self._client.get(request, self._source, until=self._until)
        body = answer.content or b""
        # Tags cannot be compared: where an answer is packed on its way, servers give it one of its own.
        changed = _parse_date(answer.last_modified or "")
        is_same = None in {changed, file.changed_at} or changed == file.changed_at
        return body if is_same and file.size in {0, measure_body(body)} else None


def _split(response: Element) -> tuple[str, str]:
    """Folder and name of what a response is about; a folder is written with a slash behind it, or without."""
    folder, _, name = urlsplit(response.findtext("{DAV:}href", "").strip()).path.rpartition("/")
    return unquote(folder).strip("/"), unquote(name)


def _describe(name: str, response: Element) -> RemoteFile | None:
    """The file that a response is about; None where it is no plain one."""
    good = [
        prop
        for part in response.findall("{DAV:}propstat")
        if " 200" in part.findtext("{DAV:}status", "") and (prop := part.find("{DAV:}prop")) is not None
    ]
    if not good or any(prop.find("*/{DAV:}collection") is not None for prop in good):
        return None
    texts = {child.tag: (child.text or "").strip() for prop in good for child in prop}
    size, changed = texts.get("{DAV:}getcontentlength", ""), texts.get("{DAV:}getlastmodified", "")
    tag = texts.get("{DAV:}getetag", "")
    return RemoteFile(
        name, int(size) if size.isdecimal() else 0, _parse_date(changed), tag or f"{size}-{changed}"
    )


def _parse_date(written: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(written)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
