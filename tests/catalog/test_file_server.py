"""Folders on servers as a tenant writes them: a login of their own, a pattern at the end, and known host keys."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from pydantic import ValidationError

from civitas_assets.catalog.file_server import FileAddress, SftpAccess
from civitas_assets.connectors.files.csv import CsvSource

KEY = base64.b64encode(b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00 " + b"k" * 32).decode()
FINGERPRINT = "SHA256:" + base64.b64encode(hashlib.sha256(base64.b64decode(KEY)).digest()).decode().rstrip(
    "="
)
SFTP = {"host_keys": (FINGERPRINT,), "password": {"secret": "TOWN_SFTP"}}
S3 = {"endpoint": "https://s3.example"}


def source(url: str, **more: Any) -> CsvSource:
    return CsvSource.model_validate({
        "connector": "csv", "title": "T", "licence": "CC0-1.0", "url": url, "record_type": "place",
        "fields": {"place_id": "id"}, **more,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("url", "folder", "pattern", "shown"),
    [
        ("sftp://me@host:2222/a/b/x-*.csv", "a/b", "x-*.csv", "sftp://host:2222/a/b/x-1%20%C3%A4.csv"),
        ("sftp://me@host/~/out/*", "~/out", "*", "sftp://host/~/out/x-1%20%C3%A4.csv"),
        ("s3://bucket/*.csv", "", "*.csv", "s3://bucket/x-1%20%C3%A4.csv"),
        ("webdavs://host/d%20e/", "d e", "*", "webdavs://host/d%20e/x-1%20%C3%A4.csv"),
        ("webdav://host/d/?.csv", "d", "?.csv", "webdav://host/d/x-1%20%C3%A4.csv"),
    ],
)
def test_address_is_a_folder_and_a_pattern_and_is_shown_without_a_login(
    url: str, folder: str, pattern: str, shown: str
) -> None:
    address = FileAddress.parse(url)
    assert (address.folder, address.pattern) == (folder, pattern)
    assert address.locate("x-1 ä.csv") == shown


@pytest.mark.parametrize(
    "written",
    [FINGERPRINT, f"host,10.0.0.1 ssh-ed25519 {KEY}", f"ssh-ed25519 {KEY} root@host"],
    ids=["fingerprint", "known_hosts", "public key"],
)
def test_host_key_may_be_written_as_any_tool_prints_it(written: str) -> None:
    assert SftpAccess.model_validate({**SFTP, "host_keys": (written,)}).host_keys == (FINGERPRINT,)


@pytest.mark.parametrize(
    ("url", "more", "told"),
    [
        ("sftp://me@h/*.csv", {}, "sftp and a url that begins with sftp:// belong together"),
        ("sftp://me@h/*.csv", {"sftp": {**SFTP, "host_keys": ()}}, "at least 1 item"),
        ("sftp://me@h/*.csv", {"sftp": {**SFTP, "host_keys": ("ignore",)}}, "is no key of a host"),
        ("sftp://me@h/*.csv", {"sftp": {"host_keys": (FINGERPRINT,)}}, "either password or private_key"),
        ("sftp://h/*.csv", {"sftp": SFTP}, "names no login"),
        ("sftp://me:hunter2@h/*.csv", {"sftp": SFTP}, "url holds a password"),
        ("sftp://me@h/*/x.csv", {"sftp": SFTP}, "only the name of files"),
        ("sftp://me@h/../*.csv", {"sftp": SFTP}, "only the name of files"),
        ("sftp://me@h/{day:%Y}.csv", {"sftp": SFTP}, r"no \{…\}"),
        ("sftp://me@h/*.csv", {"sftp": SFTP, "headers": {"A": "b"}}, "headers has no meaning"),
        ("s3://bucket/*.csv", {"s3": {**S3, "access_key": {"secret": "TOWN_KEY"}}}, "belong together"),
        ("s3://Bucket_/*.csv", {"s3": S3}, "names no bucket"),
        ("s3://me@bucket/*.csv", {"s3": S3}, "url holds a login"),
        ("webdavs://h/*.csv", {"each": {"a": ("b",)}}, "each has no meaning"),
        ("webdavs://h:99999/*.csv", {}, "no host or port"),
        ("ftp://h/*.csv", {}, "should match pattern"),
    ],
)
def test_what_cannot_be_meant_is_refused_without_repeating_a_password(
    url: str, more: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValidationError, match=told) as refused:
        source(url, **more)
    assert all("hunter2" not in error["msg"] for error in refused.value.errors())
