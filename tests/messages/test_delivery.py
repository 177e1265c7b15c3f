"""Messages arrive, once, without a secret; that one does not arrive breaks nothing and is tried again."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from civitas_assets.errors import SecretMissing
from civitas_assets.messages.delivery import deliver_once, read_addresses
from civitas_assets.messages.message_text import Message
from civitas_assets.store.files import LocalFiles
from tests.conftest import Webhook

MESSAGE = Message("Jena: 1 fault", "- key s3cret is refused\n\nhttp://ui/runs/1")
KEY = "2026-08-22/jena"


def test_message_is_sent_once_for_a_key_and_holds_no_secret(webhook: Webhook, tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    assert deliver_once(files, KEY, MESSAGE, [webhook.url], ["s3cret"])
    assert not deliver_once(files, KEY, MESSAGE, [webhook.url], ["s3cret"])
    assert deliver_once(files, "2026-08-23/jena", MESSAGE, [webhook.url], [])
    first = webhook.taken[0]
    assert (first["title"], first["message"]) == ("Jena: 1 fault", "- key *** is refused\n\nhttp://ui/runs/1")
    assert len(webhook.taken) == 2


def test_message_that_nobody_takes_breaks_nothing_and_is_tried_again(
    webhook: Webhook, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    webhook.status = 500
    files = LocalFiles(tmp_path)
    with caplog.at_level(logging.INFO, "civitas_assets"):
        assert not deliver_once(files, KEY, MESSAGE, [webhook.url], [])
    assert "not every one of 1 addresses" in caplog.text
    webhook.status = 200
    assert deliver_once(files, KEY, MESSAGE, [webhook.url], [])


def test_address_that_no_service_understands_is_a_line_in_the_log(tmp_path: Path) -> None:
    assert not deliver_once(LocalFiles(tmp_path), KEY, MESSAGE, ["nonsense"], [])


def test_addresses_are_those_of_all_secrets_that_are_set() -> None:
    def read(name: str) -> str:
        if name == "UNSET":
            raise SecretMissing(name)
        return "json://a\njson://b" if name == "ALL" else "json://b"

    assert read_addresses(["ALL", "UNSET", "OWN"], read) == ["json://a", "json://b"]
