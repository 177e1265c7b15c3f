"""A folder of a bucket: objects below a prefix, by ListObjectsV2 and GetObject of the API of Amazon S3.

Requests are made by the one client of HTTP, which connects only to what may be reached; libraries of object storage
open connections of their own.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote, unquote_plus, urlsplit
from xml.etree.ElementTree import Element

from civitas_assets.catalog.file_server import FileAddress, S3Access
from civitas_assets.catalog.model import Source
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.content.trusted_xml import XML_FAULTS, parse_xml
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.connectors.transport.http_deadline import Deadline
from civitas_assets.connectors.transport.remote_folder import RemoteFile, check_count
from civitas_assets.errors import FetchError, HttpStatusError
from civitas_assets.spool import Body, read_whole

_ALGORITHM = "AWS4-HMAC-SHA256"
_NO_BODY = hashlib.sha256(b"").hexdigest()
_UNRESERVED = "-_.~"


def make_signed_headers(  # noqa: PLR0917 - what is signed has an order
    host: str, path: str, query: Mapping[str, str], keys: tuple[str, str], region: str, now: datetime
) -> dict[str, str]:
    """The headers that sign a GET by Signature Version 4 of AWS.

    Args:
        host: As the header Host has it, with the port where that is not the scheme's own.
        path: Percent-encoded once.
        query: Parameters, not encoded.
        keys: Id of the access key, and the secret one.
        region: Of the storage.
        now: When it is sent; a signature is good for some minutes.
    """
    moment = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    signed = {"host": host, "x-amz-content-sha256": _NO_BODY, "x-amz-date": moment}
    names = ";".join(signed)
    canonical = "\n".join(
        ["GET", path, encode_query(query), *(f"{n}:{v}" for n, v in signed.items()), "", names, _NO_BODY]
    )
    wanted = "\n".join([_ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{keys[1]}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, wanted.encode(), "sha256").hex()
    return {
        "x-amz-content-sha256": _NO_BODY,
        "x-amz-date": moment,
        "Authorization": f"{_ALGORITHM} Credential={keys[0]}/{scope}, SignedHeaders={names}, Signature={signature}",
    }


def encode_query(query: Mapping[str, str]) -> str:
    """The parameters as they are signed and sent: sorted, and all but unreserved characters encoded."""
    pairs = sorted((quote(n, safe=_UNRESERVED), quote(v, safe=_UNRESERVED)) for n, v in query.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


class S3Folder:
    """See `RemoteFolder`; the bucket is addressed by path, as all implementations know it."""

    def __init__(
        self,
        address: FileAddress,
        source: Source,
        access: S3Access,
        client: HttpClient,
        until: Deadline,
        *,
        read_secret: Callable[[str], str],
        now: Callable[[], datetime],
    ) -> None:
        self._address, self._source, self._access = address, source, access
        self._client, self._until, self._now = client, until, now
        self._prefix = f"{address.folder}/" if address.folder else ""
        self._keys: tuple[str, str] | None = None
        if access.access_key is not None and access.secret_key is not None:
            self._keys = read_secret(access.access_key.secret), read_secret(access.secret_key.secret)

    def list_files(self) -> Sequence[RemoteFile]:
        """See `RemoteFolder`."""
        found = list[RemoteFile]()
        for page in self._list_pages():
            # XML has no control characters, which a single key may have: asked for, keys come encoded as in a form.
            is_encoded = page.findtext("{*}EncodingType") == "url"
            for entry in page.iterfind("{*}Contents"):
                key = entry.findtext("{*}Key", "")
                name = (unquote_plus(key) if is_encoded else key).removeprefix(self._prefix)
                if name and "/" not in name:
                    found.append(_describe(name, entry))
            check_count(len(found), self._address.locate())
        return found

    def _list_pages(self) -> Iterator[Element]:
        query = {"list-type": "2", "delimiter": "/", "encoding-type": "url", "prefix": self._prefix}
        seen = set[str]()
        while True:
            body = read_whole(self._ask("", query))
            try:
                page = parse_xml(body)
            except XML_FAULTS as error:
                raise FetchError(
                    f"{self._address.locate()} is listed in no XML that can be trusted: {error}"
                ) from None
            if not page.tag.endswith("ListBucketResult"):
                raise FetchError(f"{self._address.locate()} is not listed as S3 does: check s3.endpoint")
            yield page
            following = page.findtext("{*}NextContinuationToken", "")
            if page.findtext("{*}IsTruncated", "false").lower() != "true":
                return
            if not following or following in seen:
                raise FetchError(f"{self._address.locate()} is listed without an end: tell its operator")
            seen.add(following)
            query["continuation-token"] = following

    def read_file(self, file: RemoteFile, most: int) -> Body | None:
        """See `RemoteFolder`; the client of HTTP bounds the answer by the policy of the source."""
        try:
            return self._ask(f"{self._prefix}{file.name}", {}, file.version)
        except HttpStatusError as error:
            if error.status == 412:  # it has another tag meanwhile
                return None
            raise

    def _ask(self, key: str, query: Mapping[str, str], tag: str = "") -> Body:
        endpoint = urlsplit(self._access.endpoint)
        path = "/" + quote("/".join(filter(None, (self._address.host, key))), safe=f"{_UNRESERVED}/")
        url = f"{endpoint.scheme}://{endpoint.netloc}{path}" + (f"?{encode_query(query)}" if query else "")
        headers: dict[str, str] = {}
        if self._keys is not None:
            host = endpoint.netloc.lower().removesuffix(":443" if endpoint.scheme == "https" else ":80")
            headers = make_signed_headers(host, path, query, self._keys, self._access.region, self._now())
        # As headers of the source, so that they go to its own origin alone, wherever a redirect leads.
        # What is listed and is not there is no period that may be absent, but at fault.
        changed = {"url": url, "headers": headers, "not_found": "fail"}
        asked = self._source.model_copy(update=changed)
        match = {"If-Match": tag} if tag else {}
        try:
            return self._client.get(Request(url, headers=match), asked, until=self._until).content or b""
        except HttpStatusError as error:
            advice = {
                403: "check the secrets of s3:, its region, and what the keys may read",
                404: "check bucket and folder of url:",
            }.get(error.status)
            if advice is None:
                raise
            raise HttpStatusError(error.status, self._address.locate(), advice) from None


def _describe(name: str, entry: Element) -> RemoteFile:
    size, changed = entry.findtext("{*}Size", ""), entry.findtext("{*}LastModified", "")
    try:
        at = datetime.fromisoformat(changed)
    except ValueError:
        at = None
    return RemoteFile(
        name, int(size) if size.isdecimal() else 0, at, entry.findtext("{*}ETag", "") or f"{size}-{changed}"
    )
