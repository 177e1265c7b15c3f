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
        self._source = source.model_copy(update={"url": self._root})
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
        found = (self._describe(response) for response in responses)
        return [file for file in found if file is not None]

    def _describe(self, response: Element) -> RemoteFile | None:
        """The file that a response is about; None where it is the folder itself, or no plain file right in it."""
        folder, _, name = urlsplit(response.findtext("{DAV:}href", "").strip()).path.rpartition("/")
        good = [
            part.find("{DAV:}prop")
            for part in response.findall("{DAV:}propstat")
            if " 200" in part.findtext("{DAV:}status", "")
        ]
        if (
            not name
            or not good
            or unquote(folder).strip("/") != unquote(urlsplit(self._root).path).strip("/")
        ):
            return None
        texts = {child.tag: (child.text or "").strip() for prop in good if prop is not None for child in prop}
        if any(prop is not None and prop.find("*/{DAV:}collection") is not None for prop in good):
            return None
        size, changed = texts.get("{DAV:}getcontentlength", ""), texts.get("{DAV:}getlastmodified", "")
        tag = texts.get("{DAV:}getetag", "")
        return RemoteFile(
            unquote(name),
            int(size) if size.isdecimal() else 0,
            _parse_date(changed),
            tag or f"{size}-{changed}",
        )

    def read_file(self, file: RemoteFile, most: int) -> bytes | None:
        """See `RemoteFolder`; the client of HTTP bounds the answer by the policy of the source."""
        answer = self._client.get(Request(f"{self._root}{quote(file.name)}"), self._source, until=self._until)
        body = answer.body or b""
        # Tags cannot be compared: where an answer is packed on its way, servers give it one of its own.
        changed = _parse_date(answer.last_modified or "")
        is_same = None in {changed, file.changed_at} or changed == file.changed_at
        return body if is_same and file.size in {0, len(body)} else None


def _parse_date(written: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(written)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
