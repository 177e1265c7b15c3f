"""When a collection that comes in pages is whole, and when nobody can tell."""

from __future__ import annotations

import pytest

from civitas_assets.connectors.pagination.links import resize_page
from civitas_assets.connectors.pagination.pagination import Completeness, parse_total
from civitas_assets.connectors.pagination.partial import is_declared_incomplete
from civitas_assets.errors import FetchError


def gathered(*pages: str, total: int | None = None, asked: int = 3) -> tuple[Completeness, bool]:
    """Pages of ids of one letter, the last one of which is, or is not, the proven end."""
    found = Completeness("trees")
    for page in pages:
        found.add(page, total)
    return found, found.is_at_end(asked)


@pytest.mark.parametrize(
    ("pages", "total", "ends"),
    [
        (["ab"], None, False),
        (["ab", ""], None, True),
        (["abc", "abc"], None, True),
        (["abc", "de"], 5, True),
        (["abc", "def"], 6, False),
        (["ab"], 2, False),
        (["abc", "cd"], 5, False),
        ([""], 0, True),
    ],
)
def test_the_end_is_an_empty_page_nothing_new_or_a_total_on_a_page_that_is_shorter_than_another(
    pages: list[str], total: int | None, ends: bool
) -> None:
    assert gathered(*pages, total=total)[1] is ends


def test_distinct_entities_count_and_not_rows() -> None:
    found, _ = gathered("abc", "cd", total=5)
    assert (found.rows, found.received, found.repeated) == (5, 4, 1)
    with pytest.raises(FetchError, match=r"trees: 4 of 5 came \(1 of 5 came more than once\): again"):
        found.check("again")


def test_what_comes_and_goes_while_pages_are_read_is_no_fault() -> None:
    """Where it is known that nothing is in no page because of it."""
    found = Completeness("trees", is_anchored=True)
    found.add("abc", 5)
    found.add("cd", 4)
    found.check("")


def test_what_goes_while_pages_are_counted_may_have_moved_others_out_of_all_pages() -> None:
    found = Completeness("trees")
    found.add("abc", 5)
    found.add("d", 4)
    with pytest.raises(FetchError, match="trees: 5 entities became 4 while its pages were read"):
        found.check("")


def test_a_count_that_was_cut_before_pages_said_more_is_no_sign_that_any_have_gone() -> None:
    """MapServer counts hits up to its ceiling, and a page that passes it names all."""
    found = Completeness("trees", total=2)
    found.add("ab")
    found.add("c", 3)
    found.check("")


@pytest.mark.parametrize(
    ("url", "leads_to"),
    [
        ("http://x/Things?$top=3&$skip=3", "http://x/Things?$top=3&$skip=2"),
        ("http://x/Things?%24skip=3&$top=3", "http://x/Things?%24skip=2&$top=3"),
        ("http://x/items?offset=3&limit=3", "http://x/items?offset=2&limit=3"),
        ("http://x/wfs?startIndex=3", "http://x/wfs?startIndex=2"),
        ("http://x/Things?$skiptoken=3", None),
        ("http://x/Things?$skip=3a", None),
    ],
)
def test_a_page_begins_with_the_last_entity_of_the_one_before(url: str, leads_to: str | None) -> None:
    found = Completeness("trees")
    found.add("abc")
    assert found.lead_on(url) == (leads_to or url)
    assert found.overlaps is bool(leads_to)
    assert found.is_torn("e") is bool(leads_to)
    assert not found.is_torn("c")
    assert found.is_torn("") is bool(leads_to), "there is at least the last entity, unless others have gone"
    found.add("cde")
    assert (found.received, found.repeated) == ((5, 0) if leads_to else (5, 1))


def test_an_address_is_asked_for_again_by_another_size() -> None:
    url = "http://x/Things?$top=100"
    assert [resize_page(url, attempts) for attempts in (1, 2, 3)] == [url, f"{url[:-3]}99", f"{url[:-3]}98"]
    assert resize_page("http://x/items?limit=2&x=1", 3) == "http://x/items?limit=4&x=1"
    assert resize_page("http://x/items", 2) == "http://x/items"


def test_entities_without_an_id_count_as_rows() -> None:
    found = Completeness("trees")
    assert found.add([None, None, 1], 3) == 3
    assert found.add(["1"]) == 0, "an id is the same as a number and as a text"
    found.check("")


def test_pages_that_overlap_without_a_total_are_a_fault() -> None:
    with pytest.raises(FetchError, match="1 of 5 came more than once, so that others may be missing"):
        gathered("abc", "cd")[0].check("")


@pytest.mark.parametrize(
    ("body", "incomplete"),
    [
        (b'{"features": [], "exceededTransferLimit" : true}', True),
        (b'{"features": [], "properties": {"exceededTransferLimit": true}}', True),
        (b'{"features": [], "exceededTransferLimit": false}', False),
        (b'{"truncated": true, "rows": []}', True),
        (b'{"meta": {"has_more": true}, "rows": []}', True),
        (b'{"rows": [{"truncated": true}]}', False),
        (b'[{"truncated": true}]', False),
        (b"truncated;true", False),
        (b'{"count": 2, "next": "https://data.example/sites?page=2", "results": [{}]}', True),
        (b'{"count": 1, "next": null, "results": [{}]}', False),
        (b'{"next": "2026-12-01", "results": [{}]}', False),
        (b'{"links": {"next": {"href": "/sites?page=2"}}, "data": [{}]}', True),
        (b'{"links": [{"rel": "next", "href": "?page=2"}], "data": [{}]}', True),
        (b'{"@odata.nextLink": "https://data.example/?$skip=1", "value": [{}]}', True),
        (b'{"total_count": 3, "results": [{}, {}]}', True),
        (b'{"total_count": 2, "results": [{}, {}]}', False),
        (b'{"result": {"total": 900, "limit": 2, "records": [{}, {}]}}', True),
        (b'{"total": 900, "sites": [{}, {}]}', False),
        (b'{"@odata.count": 90, "value": [{}]}', True),
        (b'{"next_page_url": "https://data.example/sites?page=2", "data": [{}]}', True),
        (b'{"items": [{}], "nextPageToken": "CAUQAA"}', True),
        (b'{"items": [{}], "nextPageToken": ""}', False),
        (b'{"items": [{}], "meta": {"next_page": 2}}', True),
        (b'{"items": [{}], "meta": {"next_page": null, "total_pages": 1}}', False),
        (b'{"items": [{}], "pagination": {"current_page": 1, "total_pages": 4}}', True),
        (
            b'{"content": [{}, {}], "page": {"size": 2, "totalElements": 3, "totalPages": 2, "number": 0}}',
            True,
        ),
        (b'{"data": [{}], "pageInfo": {"hasNextPage": true, "endCursor": "x"}}', True),
        (b'{"odata.nextLink": "https://data.example/?$skiptoken=1", "value": [{}]}', True),
        (b'{"d": {"results": [{}], "__next": "https://data.example/?$skiptoken=1"}}', True),
        (b'{"content": [{}], "last": false, "number": 0}', True),
        (b'{"content": [{}], "last": true, "number": 3}', False),
        (b'{"offset": 0, "endOfRecords": false, "results": [{}]}', True),
        (b'{"records": [{}], "done": false, "nextRecordsUrl": "/query/01-2"}', True),
        (b'{"hits": {"total": {"value": 3, "relation": "eq"}, "hits": [{}]}}', True),
        (b'{"hits": {"total": 1, "hits": [{}]}}', False),
        (b'{"response": {"numFound": 3, "start": 0, "docs": [{}]}}', True),
        (b'{"code": 0, "data": {"total": 3, "page": 1, "list": [{}]}}', True),
        (b'{"data": {"total": 3, "sites": [{}]}}', False),
    ],
)
def test_an_answer_may_call_itself_a_part(body: bytes, incomplete: bool) -> None:
    assert is_declared_incomplete(body) is incomplete


def test_pages_that_are_asked_for_one_by_one_name_each_other_and_are_no_parts() -> None:
    body = b'{"next": "https://data.example/sites?page=2", "results": [{}]}'
    following = '<https://data.example/sites?page=2>; rel="next"'
    assert is_declared_incomplete(b"[]", following)
    assert not is_declared_incomplete(b"[]", following.replace("next", "prev"))
    assert not is_declared_incomplete(body, following, is_alone=False)
    assert is_declared_incomplete(b'{"truncated": true}', is_alone=False)
    for more in (b'{"hasMore": true}', b'{"last": false}'):
        assert is_declared_incomplete(more)
        assert not is_declared_incomplete(more, is_alone=False)


@pytest.mark.parametrize(
    ("headers", "total"),
    [
        ({"x-total-count": "3"}, 3),
        ({"content-range": "items 0-1/900"}, 900),
        ({"content-range": "items 0-1/*"}, None),
        ({"x-total-count": "many"}, None),
        ({}, None),
    ],
)
def test_headers_may_say_how_many_there_are(headers: dict[str, str], total: int | None) -> None:
    assert parse_total(headers) == total
