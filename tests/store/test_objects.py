"""Object storage: what is asked again, what is given up and how that is said, and what writers do to each other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from civitas_assets.errors import StoreError
from civitas_assets.store.objects import ObjectFiles
from testbed.objects import BUCKET, SECRET, ObjectServer


@pytest.fixture
def bucket(storage_url: str) -> ObjectFiles:
    return ObjectFiles(
        storage_url,
        {
            "max_retries": 3,
            "backoff": {
                "init_backoff": timedelta(milliseconds=1),
                "max_backoff": timedelta(milliseconds=2),
                "base": 2,
            },
        },
    )


@pytest.fixture
def throttled(object_store: ObjectServer) -> Any:
    """Has the server answer the next requests with these statuses."""
    yield object_store.faults.extend
    object_store.faults.clear()


def every_use(bucket: ObjectFiles) -> list[Callable[[], Any]]:
    return [
        lambda: bucket.read("t/a"),
        lambda: bucket.write("t/a", b"2"),
        lambda: bucket.write_once("t/b", b"2"),
        lambda: bucket.change_all({"t/a": lambda _: b"3"}),
        lambda: bucket.exists("t/a"),
        lambda: bucket.list_keys("t/"),
        lambda: bucket.delete("t/b"),
        lambda: bucket.move_all({"t/a": "t/c"}),
    ]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_storage_that_is_busy_is_asked_again(bucket: ObjectFiles, throttled: Any, status: int) -> None:
    bucket.write("t/a", b"1")
    for use in every_use(bucket):
        throttled([status, status])
        use()
    assert bucket.read("t/c") == b"3"


def test_a_storage_that_stays_busy_is_given_up_with_the_key_and_no_secret(
    bucket: ObjectFiles, throttled: Any
) -> None:
    bucket.write("t/a", b"1")
    for use in every_use(bucket):
        throttled([503] * 50)
        with pytest.raises(StoreError, match=r"cannot .*s3://civitas/.*/t/.*503.*try again later") as raised:
            use()
        assert SECRET not in str(raised.value)
        assert "Authorization" not in str(raised.value)
        assert raised.value.__cause__ is None


def test_what_is_not_allowed_is_not_asked_again_and_says_where_to_look(
    bucket: ObjectFiles, throttled: Any, object_store: ObjectServer
) -> None:
    throttled([403])
    before = len(object_store.asked)
    with pytest.raises(StoreError, match=r"t/a: not allowed \(403 .*check the AWS_\* credentials"):
        bucket.read("t/a")
    assert len(object_store.asked) == before + 1


def test_a_bucket_that_is_not_there_is_no_empty_store(storage_url: str) -> None:
    elsewhere = ObjectFiles(storage_url.replace("civitas", "elsewhere"))
    for use in (
        lambda: elsewhere.read("t/a"),
        lambda: elsewhere.list_keys("t/"),
        lambda: elsewhere.write("t/a", b""),
    ):
        with pytest.raises(StoreError, match=r"no such bucket.*CIVITAS_STORAGE_URL"):
            use()


def test_a_storage_that_cannot_be_reached_says_so(storage_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreError, match="t/a: the storage does not answer"):
        ObjectFiles(storage_url, {"max_retries": 1}).read("t/a")


def test_more_than_a_page_of_keys_is_listed_and_deleted(
    bucket: ObjectFiles, storage_url: str, object_store: ObjectServer
) -> None:
    names = [f"many/{number:04d}" for number in range(1005)]
    object_store.fill(f"{storage_url.partition(BUCKET)[2][1:]}/{name}" for name in names)
    before = len(object_store.asked)
    assert bucket.list_keys("many/") == names
    assert len(object_store.asked) == before + 2
    assert [*bucket.list_stamps("many/")] == names
    assert bucket.list_keys("many/", after=names[-2]) == names[-1:]
    bucket.delete_all(names)
    assert bucket.list_keys("many/") == []


def test_no_change_of_several_writers_is_lost(bucket: ObjectFiles) -> None:
    """Without the condition, the later of two writers would put what it had read before the earlier one wrote."""

    def add(number: int) -> None:
        while True:
            try:
                bucket.change_all({"t/a": lambda body: (body or b"") + b"%d " % number})
            except StoreError as error:
                assert "changed by others" in str(error)  # noqa: PT017 - tried until it succeeds
            else:
                return

    with ThreadPoolExecutor(4) as pool:
        [*pool.map(add, range(12))]
    assert sorted((bucket.read("t/a") or b"").split()) == sorted(b"%d" % number for number in range(12))


def test_a_change_whose_answer_was_lost_is_made_once(bucket: ObjectFiles, object_store: ObjectServer) -> None:
    for _ in range(2):
        object_store.answer_lost.append("PUT")
        bucket.change_all({"t/a": lambda body: (body or b"") + b"x"})
    assert bucket.read("t/a") == b"xx"
    assert object_store.answer_lost == []


def test_an_object_is_put_only_on_its_condition(bucket: ObjectFiles) -> None:
    first = bucket.put_if("t/a", b"1", None)
    assert first
    assert bucket.put_if("t/a", b"2", None) is None
    second = bucket.put_if("t/a", b"2", first)
    assert second not in {None, first}
    assert bucket.put_if("t/a", b"3", first) is None
    assert bucket.put_if("t/none", b"3", first) is None
    assert bucket.read("t/a") == b"2"


def test_a_large_object_is_sent_in_parts_and_appears_whole(
    bucket: ObjectFiles, object_store: ObjectServer, tmp_path: Path
) -> None:
    body = bytes(range(256)) * 80_000
    before = len(object_store.asked)
    bucket.write("t/large", body)
    assert sum(request.startswith("PUT") for request in object_store.asked[before:]) == 2
    assert bucket.fetch_copies(["t/large"], tmp_path)[0].read_bytes() == body


def test_a_copy_of_what_has_gone_meanwhile_says_so(bucket: ObjectFiles, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"t/gone: it is no longer there"):
        bucket.fetch_copies(["t/gone", "t/too"], tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.name in {"gone", "too"}]


def test_a_condition_on_what_has_gone_is_not_met(bucket: ObjectFiles, throttled: Any) -> None:
    throttled([404])  # as Amazon S3 says it
    assert bucket.put_if("t/gone", b"2", '"tag"') is None


class _Ending(BaseHTTPRequestHandler):
    """Sends a part of what it announces, and ends."""

    asked: ClassVar[list[tuple[str | None, str | None]]] = []

    def do_GET(self) -> None:
        given = self.headers["Range"]
        self.asked.append((given, self.headers["If-Match"]))
        at = int(given.removeprefix("bytes=").partition("-")[0]) if given else 0
        self.send_response(206 if given else 200)
        if given:
            self.send_header("Content-Range", f"bytes {at}-{_WHOLE - 1}/{_WHOLE}")
        self.send_header("Content-Length", str(_WHOLE - at))
        self.send_header("ETag", '"tag"')
        self.send_header("Last-Modified", "Sat, 01 Aug 2026 10:00:00 GMT")
        self.end_headers()
        self.wfile.write(bytes(min(_WHOLE - at, _ANSWERED)))

    def log_message(self, *_: object) -> None:
        """Says nothing."""


_ANSWERED = 3 * 1024 * 1024
_WHOLE = 2 * _ANSWERED + 5


def test_a_large_object_that_no_answer_brings_whole_is_asked_for_on_from_where_it_ended(
    storage_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Ending) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        try:
            (copy,) = ObjectFiles(storage_url, {"max_retries": 0}).fetch_copies(["t/large"], tmp_path)
        finally:
            server.shutdown()
    assert copy.stat().st_size == _WHOLE
    first, *more = _Ending.asked
    assert first == (None, None)
    assert {tag for _, tag in more} == {'"tag"'}
    assert len(more) >= 2
