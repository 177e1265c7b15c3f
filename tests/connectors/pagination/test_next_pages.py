"""Documents of free form in pages: all that they lead to is fetched, and what is missing is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError

from civitas_assets.connectors.registry import SOURCE_MODELS
from tests.conformance.landing import HOST, Night, answer, land

SITES = {"connector": "json", "record_type": "parking_site", "records": "items", "fields": {"site_id": "id"}}
IDS = [f"P{number:02}" for number in range(1, 13)]

Page = Callable[[int, Sequence[str], Mapping[str, str]], Any]


def serve(page: Page, size: int = 5) -> Callable[[httpx2.Request], httpx2.Response]:
    """A service that gives `size` sites a time, from `at` on; `page` writes a document with its place and its ids."""

    def service(request: httpx2.Request) -> httpx2.Response:
        given = dict(request.url.params)
        start = int(given.get("at", 0)) or (int(given.get("page", 1)) - 1) * size
        written = page(start, IDS[start : start + size], given)
        return written if isinstance(written, httpx2.Response) else answer(written)

    return service


def records(ids: Sequence[str]) -> list[dict[str, Any]]:
    return [{"id": name} for name in ids]


def following(start: int) -> int | None:
    return start + 5 if start + 5 < len(IDS) else None


def ids(night: Night) -> list[str]:
    return [row[0] for row in night.rows("parking_site", "site_id")]


def linked(write: Callable[[str | None], Mapping[str, Any]]) -> Page:
    """Pages with what `write` makes of the next one's address."""

    def page(start: int, found: Sequence[str], _: Mapping[str, str]) -> Any:
        after = following(start)
        return {"items": records(found), **write(None if after is None else f"{HOST}/sites?at={after}")}

    return page


@pytest.mark.parametrize(
    ("next_", "write"),
    [
        ("next", lambda url: {"next": url}),
        ("next", lambda url: {"next": url and url.removeprefix(HOST)}),
        ("links.next", lambda url: {"links": {"next": url} if url else {}}),
        (
            "_links.next.href",
            lambda url: {"_links": {"self": {}, **({"next": {"href": url}} if url else {})}},
        ),
        (
            "links[?rel=='next'].href | [0]",
            lambda url: {"links": [{"rel": "next", "href": url}] if url else []},
        ),
        ("@odata.nextLink", lambda url: {"@odata.nextLink": url} if url else {}),
        ("next_page_url", lambda url: {"next_page_url": url or ""}),
    ],
)
def test_the_address_of_the_next_page_is_followed_wherever_it_stands(
    next_: str, write: Callable[[str | None], Mapping[str, Any]]
) -> None:
    night = land(SITES | {"next": next_}, serve(linked(write)))
    assert (ids(night), night.told) == (IDS, ())


def test_the_header_of_links_is_followed() -> None:
    def page(start: int, found: Sequence[str], _: Mapping[str, str]) -> Any:
        after = following(start)
        told = {"link": f'<{HOST}/?at={start}>; rel="self"'}
        if after is not None:
            told["link"] += f', <{HOST}/?at={after}>; rel="next"'
        return answer({"items": records(found)}, told)

    night = land(SITES | {"next": "@link"}, serve(page))
    assert (ids(night), night.told) == (IDS, ())


@pytest.mark.parametrize("as_text", [True, False])
def test_a_token_goes_into_its_parameter_and_all_else_of_the_address_stays(as_text: bool) -> None:
    asked = list[dict[str, str]]()

    def page(start: int, found: Sequence[str], given: Mapping[str, str]) -> Any:
        asked.append(dict(given))
        after = following(start)
        token = str(after) if as_text and after is not None else after
        return {"items": records(found), "meta": {"cursor": token}}

    settings = SITES | {"url": f"{HOST}/sites?q=a%26b", "next": "meta.cursor", "next_parameter": "at"}
    night = land(settings, serve(page))
    assert (ids(night), night.told) == (IDS, ())
    assert asked == [{"q": "a&b"}, {"q": "a&b", "at": "5"}, {"q": "a&b", "at": "10"}]


@pytest.mark.parametrize(("next_", "parameter"), [("@page", "page"), ("@offset", "at")])
@pytest.mark.parametrize("counted", [True, False])
def test_pages_that_nothing_leads_to_are_counted_up_to_an_empty_one_or_the_total(
    next_: str, parameter: str, counted: bool
) -> None:
    asked = list[str]()

    def page(start: int, found: Sequence[str], given: Mapping[str, str]) -> Any:
        asked.append(given.get(parameter, ""))
        return {"items": records(found), "count": len(IDS)}

    settings = SITES | {"next": next_, "next_parameter": parameter} | ({"total": "count"} if counted else {})
    night = land(settings, serve(page))
    assert (ids(night), night.told) == (IDS, ())
    assert len(asked) == (3 if counted else 4)


def test_features_in_pages_are_followed() -> None:
    def page(start: int, found: Sequence[str], _: Mapping[str, str]) -> Any:
        features: list[Any] = [
            {"type": "Feature", "id": name, "geometry": None, "properties": {}} for name in found
        ]
        after = following(start)
        next_ = None if after is None else f"{HOST}/?at={after}"
        return {"type": "FeatureCollection", "count": len(IDS), "next": next_, "features": features}

    settings = {
        "connector": "geojson",
        "record_type": "parking_site",
        "feature_id": "site_id",
        "next": "next",
    }
    night = land(settings | {"total": "count"}, serve(page))
    assert (ids(night), night.told) == (IDS, ())


def test_what_leads_on_is_kept_where_little_is() -> None:
    night = land(SITES | {"next": "next", "store": "mapped"}, serve(linked(lambda url: {"next": url})))
    assert (ids(night), night.told) == (IDS, ())


@pytest.mark.parametrize("connector", ["json", "geojson"])
def test_that_an_answer_calls_itself_a_part_is_kept_where_little_is(connector: str) -> None:
    document = {
        "type": "FeatureCollection",
        "properties": {"exceededTransferLimit": True},
        "features": [{"type": "Feature", "properties": {"id": "P1"}, "geometry": None}],
    }
    own = (
        {"records": "features", "fields": {"site_id": "properties.id"}}
        if connector == "json"
        else {"fields": {"site_id": "id"}}
    )
    night = land(
        {"connector": connector, "record_type": "parking_site", "store": "mapped", **own},
        lambda _: answer(document),
    )
    assert any("says itself that it is not all" in told for told in night.told)


def test_of_what_tells_that_an_answer_is_a_part_nothing_but_numbers_is_kept() -> None:
    source = SOURCE_MODELS["json"].model_validate(
        {"title": "T", "licence": "CC0-1.0", "url": HOST, "store": "mapped", **SITES}
    )
    body = (
        b'{"items":[{"id":"P1","who":"x"}],"partial":{"who":"x"},"total_count":"x",'
        b'"meta":{"truncated":true,"who":"x"}}'
    )
    assert source.redact_answer("data", body) == (
        b'{"items":[{"id":"P1"}],"partial":{},"total_count":"","meta":{"truncated":true}}'
    )


def test_an_empty_page_may_lead_on_but_not_for_ever() -> None:
    """A cursor passes what a filter leaves out; some services have a next link behind their end as well."""

    def page(start: int, found: Sequence[str], _: Mapping[str, str]) -> Any:
        return {"items": [] if start == 5 else records(found), "next": f"{HOST}/?at={start + 5}"}

    night = land(SITES | {"next": "next"}, serve(page))
    assert (ids(night), night.told) == ([*IDS[:5], *IDS[10:]], ())


@pytest.mark.parametrize(
    ("settings", "write", "told"),
    [
        ({}, lambda url: {"next": url, "more": 1}, ()),
        ({"total": "n"}, lambda url: {"next": url, "n": 13}, ("12 of 13 came",)),
        ({"total": "n"}, lambda url: {"next": url}, ("has nothing at total, n",)),
        ({"total": "n"}, lambda url: {"next": url, "n": "many"}, ("which is no number",)),
        ({}, lambda url: {"next": None, "hasMore": True}, ("the server says that there are more",)),
        ({"next": "nxt"}, lambda url: {"next": url}, ("the server says that there are more",)),
        (
            {},
            lambda url: {"next": url and "https://other.example/2"},
            ("leads to another host", "advertised_url"),
        ),
        ({}, lambda url: {"next": {"url": url}}, ("which is no address",)),
        ({}, lambda url: {"next": f"{HOST}/?at=5"}, ("asked for a second time",)),
    ],
)
def test_what_is_missing_is_told(
    settings: Mapping[str, Any], write: Callable[[str | None], Mapping[str, Any]], told: Sequence[str]
) -> None:
    night = land(SITES | {"next": "next"} | dict(settings), serve(linked(write)))
    assert bool(night.told) == bool(told)
    for text in told:
        assert text in night.told[0]


def test_a_page_that_repeats_records_may_hide_others() -> None:
    def page(start: int, found: Sequence[str], _: Mapping[str, str]) -> Any:
        after = following(start)
        return {"items": records([*IDS[:1], *found]), "next": after and f"{HOST}/?at={after}"}

    night = land(SITES | {"next": "next"}, serve(page))
    assert "2 of 15 came more than once" in night.told[0]


def test_a_full_page_without_what_should_lead_on_is_no_proven_end() -> None:
    service = serve(lambda start, found, _: {"items": records(found)}, size=10)
    (told,) = land(SITES | {"next": "weiter"}, service).told
    assert "weiter is not in the answer" in told


def test_links_of_a_wrong_host_are_followed_at_the_address_that_is_named() -> None:
    wrong = serve(linked(lambda url: {"next": url and url.replace(HOST, "http://localhost:5000")}))
    night = land(SITES | {"next": "next", "advertised_url": "http://localhost:5000"}, wrong)
    assert (ids(night), night.told) == (IDS, ())


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"total": "count"}, "say next"),
        ({"next": "@page"}, "needs next_parameter"),
        ({"next": "@link", "next_parameter": "at"}, "leave next_parameter out"),
        ({"next": "a[", "next_parameter": "at"}, "no JMESPath"),
        ({"next": "next", "url": "drop:*.json"}, "dropped file"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: Mapping[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        land(SITES | dict(settings), serve(lambda *_: {}))


@pytest.mark.parametrize(("linked_", "told"), [(True, "the page before leads to it"), (False, "")])
def test_a_page_that_is_not_there_is_missing_where_one_leads_to_it(linked_: bool, told: str) -> None:
    """Some services answer 404 beyond the last page that is counted."""

    def service(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/2" or request.url.params.get("page") == "2":
            return httpx2.Response(404)
        return answer({"items": records(IDS[:3]), "next": "/2"})

    how = {"next": "next"} if linked_ else {"next": "@page", "next_parameter": "page"}
    night = land(SITES | how | {"not_found": "skip"}, service)
    assert ids(night) == IDS[:3]
    assert bool(night.told) == bool(told)
    assert not told or told in night.told[0]


@pytest.mark.parametrize(("last", "told"), [(3, ""), (1, "does the service know page?")])
def test_the_last_page_once_more_is_the_end_unless_it_is_the_first_one(last: int, told: str) -> None:
    def service(request: httpx2.Request) -> httpx2.Response:
        start = 5 * (min(last, int(request.url.params.get("page", 1))) - 1)
        return answer({"items": records(IDS[start : start + 5])})

    night = land(SITES | {"next": "@page", "next_parameter": "page"}, service)
    assert ids(night) == IDS[: 5 * last]
    assert bool(night.told) == bool(told)
    assert not told or told in night.told[0]


def test_records_of_objects_are_told_apart_by_their_names() -> None:
    def page(start: int, found: Sequence[str], _: Mapping[str, str]) -> Any:
        after = following(start)
        return {"items": {name: {"name": "A"} for name in found}, "next": after and f"{HOST}/?at={after}"}

    night = land(SITES | {"next": "next", "fields": {"site_id": "@key", "name": "name"}}, serve(page))
    assert (ids(night), night.told) == (IDS, ())
