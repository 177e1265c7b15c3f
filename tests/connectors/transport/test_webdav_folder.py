"""A folder of WebDAV: whatever its server calls its files, each is one right in the folder, or told."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx2
import pytest

from civitas_assets.catalog.file_server import FileAddress
from civitas_assets.catalog.model import Source
from civitas_assets.connectors.reachable import LOCAL
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.connectors.transport.http_deadline import NEVER
from civitas_assets.connectors.transport.webdav_folder import WebdavFolder
from civitas_assets.errors import FetchError

NOW = datetime(2026, 8, 1, tzinfo=UTC)


def folder(*hrefs: str, asked: list[str] | None = None) -> WebdavFolder:
    """A folder `out` of a server that lists these addresses; what is asked for is noted."""
    about = (
        "<D:propstat><D:prop><D:getcontentlength>1</D:getcontentlength></D:prop>"
        "<D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
    )
    listed = "".join(f"<D:response><D:href>{href}</D:href>{about}</D:response>" for href in hrefs)

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.method == "PROPFIND":
            return httpx2.Response(207, text=f'<D:multistatus xmlns:D="DAV:">{listed}</D:multistatus>')
        (asked if asked is not None else []).append(request.url.raw_path.decode())
        return httpx2.Response(200, content=b"1")

    client = HttpClient(
        "test", clock=lambda: NOW, secrets=str, reachable=LOCAL, transport=httpx2.MockTransport(answer)
    )
    source = Source.model_construct(name="s", url="webdav://127.0.0.1/out/*.csv")  # type: ignore[call-arg]
    return WebdavFolder(FileAddress.parse(source.url), source, client, NEVER)


def test_list_of_another_folder_is_an_error_and_not_an_empty_one() -> None:
    """As behind a proxy that gives the server another path."""
    with pytest.raises(FetchError, match=r"lists nothing that is in it, but /internal/out/: correct url:"):
        folder("/internal/out/", "/internal/out/a.csv").list_files()
    for empty in ("/out/", "/out", "http://127.0.0.1/out"):
        assert folder(empty).list_files() == []


def test_slash_in_a_name_leads_to_no_other_folder() -> None:
    asked = list[str]()
    served = folder("/out/", "/out/a%2Fb%20c.csv", "/out/below/d.csv", asked=asked)
    (file,) = served.list_files()
    assert (file.name, served.read_file(file, 10)) == ("a/b c.csv", b"1")
    assert asked == ["/out/a%2Fb%20c.csv"]
