"""Objects of a bucket: requests are signed as botocore signs them, and only what is right in the folder is listed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import httpx2
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from civitas_assets.catalog.file_server import FileAddress, S3Access
from civitas_assets.catalog.model import Source
from civitas_assets.connectors.reachable import LOCAL
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.connectors.transport.http_deadline import NEVER
from civitas_assets.connectors.transport.remote_folder import RemoteFile
from civitas_assets.connectors.transport.s3_folder import S3Folder, encode_query, make_signed_headers
from civitas_assets.errors import FetchError

NOW = datetime(2026, 7, 3, 4, 5, 6, tzinfo=UTC)


def test_signature_is_that_of_the_library_of_amazon() -> None:
    """Also with characters that are encoded, and a port."""
    query = {"list-type": "2", "prefix": "Zählung/a b+c~", "delimiter": "/"}
    path, host = "/bucket/Z%C3%A4hlung/a%20b%2Bc~.csv", "s3.example:9000"
    ours = make_signed_headers(host, path, query, ("KEY", "geheim/+"), "eu-central-1", NOW)
    asked = AWSRequest("GET", f"http://{host}{path}?{encode_query(query)}", headers={"Host": host})
    signer = S3SigV4Auth(Credentials("KEY", "geheim/+"), "s3", "eu-central-1")
    asked.context["timestamp"] = ours["x-amz-date"]
    asked.context["payload_signing_enabled"] = True
    asked.headers["X-Amz-Date"] = ours["x-amz-date"]
    asked.headers["X-Amz-Content-SHA256"] = ours["x-amz-content-sha256"]
    theirs = signer.signature(signer.string_to_sign(asked, signer.canonical_request(asked)), asked)
    assert ours["Authorization"].endswith(f"Signature={theirs}")


def folder(answer: Callable[[httpx2.Request], httpx2.Response]) -> S3Folder:
    """The folder `out` of a store that answers so."""
    transport = httpx2.MockTransport(answer)
    client = HttpClient("test", clock=lambda: NOW, secrets=str, reachable=LOCAL, transport=transport)
    source = Source.model_construct(name="s", url="s3://bucket/out/*.csv", not_found="skip")  # type: ignore[call-arg]
    access, address = S3Access(endpoint="http://127.0.0.1"), FileAddress.parse(source.url)
    return S3Folder(address, source, access, client, NEVER, read_secret=str, now=lambda: NOW)


def test_object_that_is_gone_is_no_empty_file_whatever_a_source_says_of_absent_periods() -> None:
    gone = folder(lambda request: httpx2.Response(404))
    with pytest.raises(FetchError, match="404"):
        gone.read_file(RemoteFile("a.csv", 3, None, '"1"'), 10)
    with pytest.raises(FetchError, match="check bucket and folder of url:"):
        gone.list_files()


def test_key_with_a_character_that_xml_has_not_costs_no_list() -> None:
    """Stores write keys encoded where that is asked for, as the library of Amazon does; older ones as they are."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        is_url = request.url.params.get("encoding-type") == "url"
        keys = ("out/Z%C3%A4hl+ung.csv", "out/a%01%2B.csv") if is_url else ("out/a\x01+.csv",)
        entries = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
        kind = "<EncodingType>url</EncodingType>" if is_url else ""
        return httpx2.Response(200, text=f"<ListBucketResult>{kind}{entries}</ListBucketResult>")

    assert [file.name for file in folder(answer).list_files()] == ["Zähl ung.csv", "a\x01+.csv"]
    plain = "<ListBucketResult><Contents><Key>out/a%01+.csv</Key></Contents></ListBucketResult>"
    (file,) = folder(lambda request: httpx2.Response(200, text=plain)).list_files()
    assert file.name == "a%01+.csv"
