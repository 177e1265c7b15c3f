"""Objects of a bucket: requests are signed as botocore signs them, and only what is right in the folder is listed."""

from __future__ import annotations

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


def test_object_that_is_gone_is_no_empty_file_whatever_a_source_says_of_absent_periods() -> None:
    transport = httpx2.MockTransport(lambda request: httpx2.Response(404))
    client = HttpClient("test", clock=lambda: NOW, secrets=str, reachable=LOCAL, transport=transport)
    source = Source.model_construct(name="s", url="s3://bucket/out/*.csv", not_found="skip")
    access = S3Access(endpoint="http://127.0.0.1")
    folder = S3Folder(
        FileAddress.parse(source.url), source, access, client, NEVER, read_secret=str, now=lambda: NOW
    )
    with pytest.raises(FetchError, match="404"):
        folder.read_file(RemoteFile("a.csv", 3, None, '"1"'), 10)
    with pytest.raises(FetchError, match="check bucket and folder of url:"):
        folder.list_files()
