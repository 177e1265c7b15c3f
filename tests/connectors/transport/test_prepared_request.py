"""The address of an errand is shown and kept without userinfo, fragment and secrets, and otherwise as it was read."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from civitas_assets.connectors.base import Request
from civitas_assets.connectors.files.csv import CsvSource
from civitas_assets.connectors.transport.prepared_request import PreparedRequest, sanitize_url
from civitas_assets.errors import FetchError


def _source(**settings: Any) -> CsvSource:
    return CsvSource.model_validate(
        {
            "title": "S", "connector": "csv", "licence": "CC0-1.0", "url": "https://h.example/a",
            "record_type": "place", "fields": {"place_id": "id"}, **settings,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    "url",
    [
        "http://h.example", "http://h.example/", "http://h.example:80/a?", "http://h.example:8080/a%2fb?x=%7e&y=a+b",
        "http://h.example/ä ö?q='(x)'&&z", "http://u:p@h.example/a?b=c#d", "http://h.example/#", "http://[::1]:81/?a#b",
        "http://h.example/a?#", "http://h.example/a?b=[1]&c=%", "http://@h.example/a",
    ],
)  # fmt: skip
def test_an_address_is_what_copying_it_without_its_private_parts_makes_of_it(url: str) -> None:
    read = httpx2.URL(url)
    query = b"&".join(part for part in read.query.split(b"&") if part)
    copied = read.copy_with(userinfo=b"", query=query or None, fragment=None)
    assert sanitize_url(url, _source()) == copied
    assert str(sanitize_url(url, _source())) == str(copied)


def test_secret_parameters_of_one_source_are_not_those_of_another() -> None:
    url = "http://h.example/a?key=1&page=2"
    assert str(sanitize_url(url, _source(query={"key": {"secret": "KEY"}}))) == "http://h.example/a?page=2"
    assert str(sanitize_url(url, _source())) == url


def test_a_form_is_the_body_and_its_address_tells_one_from_another() -> None:
    source = _source(query={"key": {"secret": "KEY"}})
    prepared = PreparedRequest(
        Request("https://h.example/a?name=1&x=%C3%A4", method="POST"), source, lambda _: "se cret"
    )
    assert str(prepared.start) == "https://h.example/a?name=1&x=%C3%A4"
    sent = prepared.compose(prepared.prepare(prepared.start)[0])
    assert {**sent, "url": str(sent["url"])} == {
        "method": "POST",
        "url": "https://h.example/a",
        "content": b"name=1&x=%C3%A4&key=se%20cret",
    }


def test_a_form_follows_no_redirect() -> None:
    prepared = PreparedRequest(Request("https://h.example/a?name=1", method="POST"), _source(), str)
    reply = httpx2.Response(302, headers={"location": "https://h.example/b?token=1"})
    with pytest.raises(
        FetchError, match=r"https://h\.example/a redirects a form to https://h\.example/b: correct"
    ):
        prepared.follow_redirect(prepared.start, reply)
