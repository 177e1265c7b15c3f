"""What is written down of arguments and variables holds no secret, and is short."""

from __future__ import annotations

import json
from typing import Any

import pytest

from civitas_assets.audit.log_redaction import HIDDEN, redact_arguments, redact_secrets, redact_value

SECRET = "canary" + "-4f1d9b77"


@pytest.mark.parametrize(
    "text",
    [
        f"https://reader:{SECRET}@daten.musterstadt.example/x",
        f"https://{SECRET}@daten.musterstadt.example",
        f"https://daten.musterstadt.example/x?api_key={SECRET}&from=2026",
        f"https://daten.musterstadt.example/x?token={SECRET}",
        f"https://daten.musterstadt.example/x?sig={SECRET}",
        f"host=db user=reader password={SECRET}",
        f"password: '{SECRET}'",
        f'{{"client_secret": "{SECRET}"}}',
        f"Authorization: Bearer {SECRET}",
        f"curl -H 'X-Api-Key: {SECRET}'",
        f"eyJhbGciOiJIUzI1NiJ9.{SECRET}.c2lnbmF0dXJl",
    ],
)
def test_secrets_in_texts_are_left_out(text: str) -> None:
    assert SECRET not in str(redact_secrets(text))
    assert SECRET not in json.dumps(redact_value({"runConfigData": {"deep": [text]}}))


@pytest.mark.parametrize(
    "value",
    [
        {"password": SECRET},
        {"config": {"ApiKey": SECRET, "apiToken": [SECRET]}},
        {"tags": [{"key": "my/secret", "value": SECRET}]},
        {"headers": [{"name": "Cookie", "value": SECRET}]},
    ],
    ids=str,
)
def test_values_that_are_called_like_secrets_are_left_out(value: Any) -> None:
    kept = json.dumps(redact_value(value), ensure_ascii=False)
    assert SECRET not in kept
    assert HIDDEN in kept


def test_what_is_no_secret_stays() -> None:
    value = {
        "executionParams": {"selector": {"jobName": "nightly"}, "runConfigData": {"days": 3, "all": True}},
        "tags": [{"key": "dagster/partition", "value": "musterstadt"}],
        "sql": "select passengers = 3, author from station where monkey = 1",
        "none": None,
    }
    assert redact_value(value) == value


def test_words_after_options_that_are_called_like_secrets_are_left_out() -> None:
    words = ["musterstadt", "--token", SECRET, "--from", "2026-08-01", f"--password={SECRET}"]
    assert redact_arguments(words) == [
        "musterstadt", "--token", HIDDEN, "--from", "2026-08-01", f"--password={HIDDEN}",
    ]  # fmt: skip


def test_what_is_long_is_shortened() -> None:
    assert len(str(redact_secrets("x" * 1_000_000))) < 2_100
    assert len(redact_secrets(["x"] * 1000)) == 51
    assert (
        len(json.dumps(redact_value({str(n): {str(m): "y" * 500 for m in range(90)} for n in range(90)})))
        < 17_000
    )


def test_whom_somebody_erases_is_not_kept() -> None:
    told = ["--where", "station_id=***"]
    assert redact_arguments(["--where", "station_id=dev=1", "--dry-run"]) == [*told, "--dry-run"]
    assert redact_arguments(["--where=station_id=dev-1"]) == ["--where=station_id=***"]
