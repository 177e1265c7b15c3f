"""What the HTTP client promises to hosts, operators and owners of secrets.

The wire is loopback, or a transport in memory whose time is the test's.
"""
# ruff: noqa: S105, S106 - the secrets of these tests are none

from __future__ import annotations

import gzip
import json
import logging
import threading
import time
import traceback
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import format_datetime
from http.server import ThreadingHTTPServer
from io import BytesIO
from typing import Any

import httpx2
import pytest

from civitas_assets.catalog.access import BasicAuth
from civitas_assets.catalog.model import HttpPolicy, SecretRef, Source
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.reachable import LOCAL, Reachable
from civitas_assets.connectors.transport.http import HttpClient, Response
from civitas_assets.connectors.transport.http_deadline import Deadline
from civitas_assets.connectors.transport.prepared_request import sanitize_url
from civitas_assets.errors import FetchError, HttpStatusError, SecretMissing
from testbed import serving as served

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
SECRET = "s3cr+t/ value"
URL = "http://data.example/v1/items"

Answer = Callable[["Handler"], None]


class Handler(served.Request):
    """Serves what the test says, and notes what it was asked."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers))
        try:
            self.server.answer(self)
        except ConnectionError:
            self.close_connection = True


class Server(ThreadingHTTPServer):
    """One loopback server; `stopped` ends an answer that would go on without end."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer, self.stopped = answer, threading.Event()
        self.asked: list[tuple[str, Message]] = []

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_port}{path}"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is reached directly, whatever proxies the machine names."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Server]]:
    """Starts servers, and stops them after the test."""
    with ExitStack() as stack:

        def start(answer: Answer) -> Server:
            server = stack.enter_context(Server(answer))
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            stack.callback(server.stopped.set)
            return server

        yield start


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, list[float]()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def secrets(name: str) -> str:
    """The environment of these tests."""
    if name != "TOKEN":
        raise SecretMissing(name)
    return SECRET


def source(url: str = URL, *, policy: dict[str, Any] | None = None, **more: Any) -> Source:
    """A source of one test, hurried as far as the policy does not say otherwise."""
    hurried: dict[str, Any] = {
        "requests_per_second": 200.0,
        "timeout": "5 s",
        "total_time": "20 s",
        "attempts": 1,
    }
    model = Source(
        connector="test",
        title="t",
        licence="CC0-1.0",
        url=url,
        http=HttpPolicy(**hurried | (policy or {})),
        **more,
    )
    return model.with_place("items", (7.0, 51.0, 8.0, 52.0))


@contextmanager
def wire() -> Iterator[HttpClient]:
    """A client that talks over sockets, by default without reading certificates; its retries do not wait."""
    transport = httpx2.HTTPTransport(verify=False)
    with HttpClient(
        "civitas-test/1 (+ops@example.org)",
        clock=lambda: NOW,
        secrets=secrets,
        reachable=LOCAL,
        transport=transport,
        sleep=lambda _: None,
    ) as client:
        yield client


@contextmanager
def memory(answer: Callable[[httpx2.Request], httpx2.Response], clock: Clock) -> Iterator[HttpClient]:
    """A client without a wire whose time is the test's."""
    transport = httpx2.MockTransport(answer)
    with HttpClient(
        "civitas-test/1", clock=lambda: NOW, secrets=secrets, transport=transport,
        sleep=clock.sleep, monotonic=clock.monotonic,
    ) as c:  # fmt: skip
        yield c


def in_turn(*answers: httpx2.Response | Exception) -> Callable[[httpx2.Request], httpx2.Response]:
    """Gives each answer once."""
    queue = list(answers)

    def answer(_: httpx2.Request) -> httpx2.Response:
        following = queue.pop(0)
        if isinstance(following, Exception):
            raise following
        return following

    return answer


def fails(client: HttpClient, of: Source, url: str | None = None) -> FetchError:
    """The error that a fetch ends in."""
    with pytest.raises(FetchError) as caught:
        client.get(Request(url or of.url), of)
    return caught.value


def everything_said(error: BaseException) -> str:
    """All that an error could tell somebody who prints it, hidden causes included."""
    seen: list[str] = []
    current: BaseException | None = error
    while current is not None:
        seen += [repr(current), str(current), *traceback.format_exception(current)]
        request = getattr(current, "_request", None)
        seen.append(f"{request.url} {request.headers.raw}" if request is not None else "")
        current = current.__cause__ or current.__context__
    return "\n".join(seen)


def assert_secret_free(text: str) -> None:
    """Neither as it is nor as an address writes it."""
    for form in (SECRET, "s3cr%2Bt%2F%20value", "s3cr%2Bt/%20value", "s3cr"):
        assert form not in text


# --- what an answer holds


def test_without_a_transport_the_client_opens_its_own(serve: Callable[[Answer], Server]) -> None:
    server = serve(lambda h: h.reply(b"x"))
    with HttpClient("civitas-test/1", clock=lambda: NOW, secrets=secrets, reachable=LOCAL) as client:
        assert client.get(Request(server.url()), source(server.url())).body == b"x"


def test_an_answer_holds_body_validators_type_and_time(serve: Callable[[Answer], Server]) -> None:
    server = serve(
        lambda h: h.reply(b'{"a":1}', ETag='"v1"', Last_Modified="x", Content_Type="application/json")
    )
    with wire() as client:
        answer = client.get(
            Request(server.url("/a"), headers={"Accept": "application/json"}), source(server.url())
        )
    assert answer == Response(
        url=server.url("/a"), status=200, content_type="application/json", etag='"v1"', last_modified="x",
        content=b'{"a":1}', fetched_at=NOW, attempts=1,
    )  # fmt: skip
    ((_, headers),) = server.asked
    assert headers["User-Agent"] == "civitas-test/1 (+ops@example.org)"
    assert headers["Accept"] == "application/json"


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"abc" * 100_000)),
        ("gzip", gzip.compress(b"abc" * 40_000) + gzip.compress(b"abc" * 60_000)),
        ("deflate", zlib.compress(b"abc" * 100_000)),
        ("identity", b"abc" * 100_000),
    ],
    ids=["gzip", "gzip of two members", "deflate", "plain"],
)
def test_a_body_arrives_decoded_and_whole(
    serve: Callable[[Answer], Server], encoding: str, packed: bytes
) -> None:
    server = serve(lambda h: h.reply(packed, Content_Encoding=encoding))
    with wire() as client:
        answer = client.get(Request(server.url()), source(server.url()))
    assert answer.body == b"abc" * 100_000


def test_an_empty_body_is_a_body(serve: Callable[[Answer], Server]) -> None:
    server = serve(lambda h: h.reply(b"", Content_Encoding="gzip"))
    with wire() as client:
        assert client.get(Request(server.url()), source(server.url())).body == b""


def test_an_encoding_that_was_not_asked_for_is_refused_rather_than_stored_raw(
    serve: Callable[[Answer], Server],
) -> None:
    server = serve(lambda h: h.reply(b"\x0b\x02\x80abc\x03", Content_Encoding="br"))
    with wire() as client:
        assert "br" in str(fails(client, source(server.url())))


def test_known_validators_are_sent_and_304_has_no_body(serve: Callable[[Answer], Server]) -> None:
    def answer(handler: Handler) -> None:
        known = handler.headers["If-None-Match"] == '"v1"' and handler.headers["If-Modified-Since"] == "then"
        handler.send_response(304 if known else 500)
        handler.send_header("ETag", '"v1"')
        handler.end_headers()

    server = serve(answer)
    with wire() as client:
        got = client.get(Request(server.url()).with_validators('"v1"', "then"), source(server.url()))
    assert (got.status, got.content, got.etag, got.last_modified) == (304, None, '"v1"', None)


@pytest.mark.parametrize("request_", [Request(URL), Request(URL).with_validators(None, None)])
def test_304_to_an_unconditional_request_is_an_error(request_: Request) -> None:
    with memory(in_turn(httpx2.Response(304)), Clock()) as client, pytest.raises(HttpStatusError) as caught:
        client.get(request_, source())
    assert caught.value.status == 304


def test_404_is_an_empty_period_only_where_the_source_says_so() -> None:
    with memory(in_turn(httpx2.Response(404, text="gone"), httpx2.Response(404)), Clock()) as client:
        skipped = client.get(Request(URL), source(not_found="skip"))
        assert (skipped.status, skipped.content) == (404, None)
        assert "not_found: skip" in str(fails(client, source()))


# --- bounds


def test_a_gzip_bomb_ends_at_the_ceiling_of_decoded_bytes(serve: Callable[[Answer], Server]) -> None:
    """64 MiB in 64 KiB; the error comes while hardly more than the ceiling is held."""
    import tracemalloc  # noqa: PLC0415

    bomb = gzip.compress(bytes(64 * 1024 * 1024), 9)
    server = serve(lambda h: h.reply(bomb, Content_Encoding="gzip"))
    with wire() as client:
        tracemalloc.start()
        error = fails(client, source(server.url(), policy={"max_bytes": 1024 * 1024, "attempts": 3}))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert "http.max_bytes" in str(error)
    assert peak < 8 * 1024 * 1024
    assert len(server.asked) == 1  # a second try would bring the same


def test_a_body_of_exactly_the_ceiling_passes() -> None:
    with memory(
        in_turn(httpx2.Response(200, content=b"1234"), httpx2.Response(200, content=b"12345")), Clock()
    ) as c:
        assert c.get(Request(URL), source(policy={"max_bytes": 4})).body == b"1234"
        assert "http.max_bytes" in str(fails(c, source(policy={"max_bytes": 4})))


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_server_that_drips_is_left_after_total_time(
    serve: Callable[[Answer], Server], encoding: str
) -> None:
    """Each byte comes within the timeout; gzip drips a file name, so that not one decoded byte ever comes."""

    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Encoding", encoding)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        handler.wfile.write(b"\x1f\x8b\x08\x08\0\0\0\0\0\x03")
        while not handler.server.stopped.wait(0.02):
            handler.wfile.write(b"x")

    server = serve(drip)
    began = time.monotonic()
    with wire() as client:
        error = fails(client, source(server.url(), policy={"total_time": "1 s", "attempts": 3}))
    assert "http.total_time" in str(error)
    assert time.monotonic() - began < 4
    assert len(server.asked) == 1


@pytest.mark.parametrize("opened", [True, False], ids=["transport of the library", "transport of the test"])
def test_a_server_that_drips_header_lines_is_left_after_total_time(
    serve: Callable[[Answer], Server], opened: bool
) -> None:
    def drip(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not handler.server.stopped.wait(0.02):
            handler.wfile.write(b"X-More: yes\r\n")

    server = serve(drip)
    transport = None if opened else httpx2.HTTPTransport(verify=False)
    began = time.monotonic()
    with HttpClient("t", clock=lambda: NOW, secrets=secrets, reachable=LOCAL, transport=transport) as client:
        error = fails(client, source(server.url(), policy={"total_time": "1 s", "attempts": 3}))
    assert "was not answered within http.total_time (1 s)" in str(error)
    assert time.monotonic() - began < 2
    assert len(server.asked) == 1


def test_a_server_that_always_asks_to_wait_is_left_once_its_pauses_fill_total_time() -> None:
    clock = Clock()
    with memory(lambda _: httpx2.Response(429, headers={"Retry-After": "8"}), clock) as client:
        error = fails(client, source(policy={"attempts": 10, "total_time": "20 s"}))
    assert "asks to wait 8 s, longer than is left of http.total_time (20 s): fetch later" in str(error)
    assert clock.slept == [8.0, 8.0]


def test_a_turn_that_does_not_come_before_the_deadline_is_not_waited_for(
    serve: Callable[[Answer], Server],
) -> None:
    """One request holds the only place of the host; the other is told so, and nothing of it was sent."""
    entered, leave = threading.Event(), threading.Event()

    def answer(handler: Handler) -> None:
        entered.set()
        leave.wait(10)
        handler.reply()

    server = serve(answer)
    of = source(server.url(), policy={"parallel": 1})
    with wire() as client:
        first = threading.Thread(target=client.get, args=(Request(server.url()), of))
        first.start()
        entered.wait(10)
        with pytest.raises(FetchError, match=r"was not answered within the test \(now\): wait"):
            client.get(
                Request(server.url("/2")),
                of,
                until=Deadline(client.read_clock() + 0.05, "the test (now)", "wait"),
            )
        leave.set()
        first.join()
    assert [path for path, _ in server.asked] == ["/"]


def test_a_silent_server_is_left_after_the_timeout(serve: Callable[[Answer], Server]) -> None:
    server = serve(lambda h: (h.server.stopped.wait(10), None)[1])
    began = time.monotonic()
    with wire() as client:
        error = fails(client, source(server.url(), policy={"timeout": "1 s"}))
    assert "ReadTimeout" in str(error)
    assert time.monotonic() - began < 4


def _cut_short(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"only this")
    handler.close_connection = True


def _gzip_cut_short(handler: Handler) -> None:
    """A length that is right for what was sent, but the archive ends early: HTTP alone would not notice."""
    handler.reply(gzip.compress(bytes(range(256)) * 50)[:-20], Content_Encoding="gzip")


def _gzip_damaged(handler: Handler) -> None:
    handler.reply(b"\x1f\x8b" + b"\xff" * 50, Content_Encoding="gzip")


@pytest.mark.parametrize("broken", [_cut_short, _gzip_cut_short, _gzip_damaged])
def test_a_truncated_body_is_fetched_again(serve: Callable[[Answer], Server], broken: Answer) -> None:
    server = serve(lambda h: broken(h) if len(h.server.asked) == 1 else h.reply(b"whole"))
    with wire() as client:
        got = client.get(Request(server.url()), source(server.url(), policy={"attempts": 2}))
    assert (got.body, got.attempts) == (b"whole", 2)


def test_a_body_that_stays_truncated_is_an_error_that_says_so(serve: Callable[[Answer], Server]) -> None:
    server = serve(_gzip_cut_short)
    with wire() as client:
        assert "ends early" in str(fails(client, source(server.url(), policy={"attempts": 2})))
    assert len(server.asked) == 2


def test_a_refused_connection_is_named_without_a_traceback_of_the_library(
    serve: Callable[[Answer], Server],
) -> None:
    server = serve(lambda h: h.reply())
    server.server_close()
    with wire() as client:
        error = fails(client, source(server.url("/gone")))
    assert server.url("/gone") in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None


# --- retries


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_status_that_may_pass_is_tried_again(status: int, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    with (
        memory(in_turn(httpx2.Response(status), httpx2.Response(200, content=b"x")), clock) as client,
        caplog.at_level(logging.WARNING, logger="civitas_assets.fetch"),
    ):
        got = client.get(Request(URL), source(policy={"attempts": 2}))
    assert (got.body, got.attempts) == (b"x", 2)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("civitas_assets.fetch", "WARNING")
    assert f"HTTP {status}" in record.getMessage()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422, 204, 206])
def test_a_status_that_will_not_pass_is_asked_for_once(status: int) -> None:
    clock = Clock()
    with memory(in_turn(httpx2.Response(status)), clock) as client:
        error = fails(client, source(policy={"attempts": 4}))
    assert isinstance(error, HttpStatusError)
    assert error.status == status
    assert clock.slept == []


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_an_error_shows_what_the_server_says_without_the_secret_that_it_repeats(
    serve: Callable[[Answer], Server], encoding: str
) -> None:
    said = json.dumps({"detail": f"no user {SECRET}, nor s3cr%2Bt%2F%20value\nat line 1"}).encode()
    body = gzip.compress(said) if encoding == "gzip" else said
    server = serve(lambda handler: handler.reply(body, 422, Content_Encoding=encoding))
    with wire() as client:
        of = source(server.url(), query={"key": SecretRef(secret="TOKEN")})
        error = fails(client, of, server.url())
    assert str(error) == f"HTTP 422 from {server.url()}: the server says 'no user ***, nor ***'; check url:"


def test_tries_end_with_the_last_status_and_pauses_grow_with_jitter() -> None:
    clock = Clock()
    with memory(lambda _: httpx2.Response(503), clock) as client:
        error = fails(client, source(policy={"attempts": 4}))
    assert isinstance(error, HttpStatusError)
    assert error.status == 503
    assert len(clock.slept) == 3
    for pause, most in zip(clock.slept, (1, 2, 4), strict=True):
        assert most / 2 <= pause <= most


def test_a_connection_fault_is_tried_again() -> None:
    faults = (httpx2.ConnectError("refused"), httpx2.ReadTimeout("slow"), httpx2.RemoteProtocolError("cut"))
    with memory(in_turn(*faults, httpx2.Response(200, content=b"x")), Clock()) as client:
        assert client.get(Request(URL), source(policy={"attempts": 4})).attempts == 4


@pytest.mark.parametrize("asked", ["17", format_datetime(NOW + timedelta(seconds=17), usegmt=True)])
def test_retry_after_is_waited_for_in_seconds_or_until_a_date(asked: str) -> None:
    clock = Clock()
    answers = in_turn(httpx2.Response(429, headers={"Retry-After": asked}), httpx2.Response(200))
    with memory(answers, clock) as client:
        client.get(Request(URL), source(policy={"attempts": 2}))
    assert clock.slept == [17.0]


def test_retry_after_holds_for_other_requests_to_that_host_too() -> None:
    clock = Clock()
    answers = in_turn(
        httpx2.Response(503, headers={"Retry-After": "9"}), httpx2.Response(200), httpx2.Response(200)
    )
    with memory(answers, clock) as client:
        fails(client, source(policy={"attempts": 1}))
        client.get(Request("http://other.example/"), source("http://other.example/"))
        assert clock.slept == []
        client.get(Request(URL), source())
    assert clock.slept == [9.0]


@pytest.mark.parametrize("asked", ["21", "9" * 5000])
def test_retry_after_beyond_total_time_is_an_error_and_no_sleep(asked: str) -> None:
    clock = Clock()
    with memory(in_turn(httpx2.Response(503, headers={"Retry-After": asked})), clock) as client:
        error = fails(client, source(policy={"attempts": 4, "total_time": "20 s"}))
    assert "http.total_time" in str(error)
    assert clock.slept == []


@pytest.mark.parametrize("asked", ["soon", "-5", "Sun, 29 Mar 2020 01:30:00 GMT", ""])
def test_a_retry_after_that_says_nothing_leaves_the_usual_pause(asked: str) -> None:
    clock = Clock()
    answers = in_turn(httpx2.Response(503, headers={"Retry-After": asked}), httpx2.Response(200))
    with memory(answers, clock) as client:
        client.get(Request(URL), source(policy={"attempts": 2}))
    (pause,) = clock.slept
    assert 0.5 <= pause <= 1


# --- sparing hosts


def test_requests_to_one_host_are_spaced_and_the_stricter_of_two_sources_holds() -> None:
    clock = Clock()
    sent: list[float] = []

    def answer(_: httpx2.Request) -> httpx2.Response:
        sent.append(clock.now)
        return httpx2.Response(200)

    quick, slow = source(policy={"requests_per_second": 4.0}), source(policy={"requests_per_second": 0.5})
    with memory(answer, clock) as client:
        for of in (quick, quick, slow, quick, quick):
            client.get(Request(URL), of)
        client.get(Request("http://other.example/"), source("http://other.example/"))
    assert sent == [100.0, 100.25, 100.5, 102.5, 104.5, 104.5]


def test_no_more_requests_are_under_way_than_the_strictest_source_allows(
    serve: Callable[[Answer], Server],
) -> None:
    """The server holds each answer until a second one is there, or until it is sure that none comes."""
    lock, here, most = threading.Lock(), [0], [0]
    crowded = threading.Event()

    def answer(handler: Handler) -> None:
        with lock:
            here[0] += 1
            most[0] = max(most[0], here[0])
            if here[0] > 2:
                crowded.set()
        crowded.wait(0.05)
        with lock:
            here[0] -= 1
        handler.reply(b"x")

    server = serve(answer)
    wide, narrow = source(server.url(), policy={"parallel": 8}), source(server.url(), policy={"parallel": 2})
    with wire() as client, wire() as another:
        client.get(Request(server.url()), narrow)
        threads = [
            threading.Thread(target=c.get, args=(Request(server.url()), wide))
            for c in (client, another)
            for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.asked) == 11
    assert most[0] <= 2


def test_a_failure_gives_its_place_back() -> None:
    with memory(lambda _: httpx2.Response(400), Clock()) as client:
        for _ in range(3):
            fails(client, source(policy={"parallel": 1}))


# --- where a source may lead


def test_redirects_on_the_same_host_are_followed_and_the_last_address_is_told(
    serve: Callable[[Answer], Server],
) -> None:
    server = serve(
        lambda h: h.reply(b"x") if h.path == "/b?q=1" else h.reply(status=302, Location="/b?q=1#part")
    )
    with wire() as client:
        got = client.get(Request(server.url("/a")), source(server.url("/a")))
    assert (got.url, got.body, got.attempts) == (server.url("/b?q=1"), b"x", 1)


def test_a_sixth_redirect_is_an_error(serve: Callable[[Answer], Server]) -> None:
    server = serve(
        lambda h: h.reply(b"x") if h.path == "/5" else h.reply(status=307, Location=f"/{int(h.path[1:]) + 1}")
    )
    with wire() as client:
        assert client.get(Request(server.url("/0")), source(server.url())).body == b"x"
        loop = serve(lambda h: h.reply(status=302, Location="/"))
        assert "redirects over 5 times" in str(fails(client, source(loop.url())))
    assert len(loop.asked) == 6


def test_a_redirect_to_another_port_is_refused_unless_allowed(serve: Callable[[Answer], Server]) -> None:
    other = serve(lambda h: h.reply(b"other"))
    server = serve(lambda h: h.reply(status=301, Location=other.url("/x")))
    site = f"127.0.0.1:{other.server_port}"
    with wire() as client:
        error = fails(client, source(server.url()))
        assert site in str(error)
        assert "allow_hosts" in str(error)
        assert other.asked == []
        assert client.get(Request(server.url()), source(server.url(), allow_hosts=(site,))).body == b"other"


def test_configured_headers_parameters_and_credentials_never_reach_another_host(
    serve: Callable[[Answer], Server], caplog: pytest.LogCaptureFixture
) -> None:
    """Not even an allowed one, and not even where the redirect itself carries the secret parameter."""
    other = serve(lambda h: h.reply(b"other"))
    landing = other.url("/x?key=s3cr%2Bt%2F%20value&page=2", host="localhost")
    server = serve(lambda h: h.reply(status=302, Location=landing))
    of = source(
        server.url("/").replace("//", "//ada:pass@", 1),
        headers={"Authorization": SecretRef(secret="TOKEN", prefix="Bearer "), "X-Plain": "plain-value"},
        query={"key": SecretRef(secret="TOKEN"), "format": "json"},
        allow_hosts=("LocalHost",),
    )
    with caplog.at_level(logging.DEBUG), wire() as client:
        got = client.get(Request(server.url("/a")), of)
    ((path, headers),) = server.asked
    assert path == "/a?key=s3cr%2Bt%2F%20value&format=json"
    assert headers["X-Plain"] == "plain-value"
    ((path, headers),) = other.asked
    assert path == "/x?page=2"
    assert_secret_free(str(headers))
    assert not {"authorization", "x-plain", "cookie"} & {name.lower() for name in headers}
    assert got.url == other.url("/x?page=2", host="localhost")
    assert_secret_free(caplog.text + repr(got))


def test_tls_is_never_given_up_by_a_redirect() -> None:
    answers = in_turn(httpx2.Response(302, headers={"Location": "http://data.example/v1/items"}))
    with memory(answers, Clock()) as client:
        error = fails(client, source("https://data.example/v1/items", allow_hosts=("data.example",)))
    assert "without TLS" in str(error)


def test_a_redirect_to_tls_on_the_same_host_is_followed_but_carries_nothing_configured() -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        if request.url.scheme == "http":
            return httpx2.Response(301, headers={"Location": str(request.url.copy_with(scheme="https"))})
        return httpx2.Response(200, content=b"x")

    of = source(headers={"X-Key": SecretRef(secret="TOKEN")}, query={"key": SecretRef(secret="TOKEN")})
    with memory(answer, Clock()) as client:
        got = client.get(Request(URL), of)
    assert got.url == "https://data.example/v1/items"
    assert asked[0].headers["X-Key"] == SECRET
    assert "X-Key" not in asked[1].headers
    assert asked[1].url == got.url


@pytest.mark.parametrize(
    "location",
    [
        "http://elsewhere.example/",
        "//elsewhere.example/",
        "http://data.example@elsewhere.example/",
        "ftp://data.example/",
        "http://data.example:99999/",
        "http://[::1",
        None,
    ],
)
def test_a_redirect_that_leads_nowhere_good_is_an_error_after_one_request(location: str | None) -> None:
    answers = in_turn(httpx2.Response(302, headers={} if location is None else {"Location": location}))
    with memory(answers, Clock()) as client:
        fails(client, source())


@pytest.mark.parametrize(
    "url",
    [
        "http://elsewhere.example/v1/items?page=2",
        "http://data.example:8080/v1/items",
        "http://data.example@elsewhere.example/",
        "http://data.example\\@elsewhere.example/",
        "http://notdata.example/",
        "file:///etc/passwd",
        "/v1/items",
    ],
)
def test_a_link_that_leaves_the_source_is_refused_before_anything_is_sent(url: str) -> None:
    with memory(in_turn(), Clock()) as client:
        fails(client, source(query={"key": SecretRef(secret="UNSET")}), url)


def test_a_link_to_an_allowed_host_is_followed_and_a_template_names_the_home() -> None:
    of = source(
        "http://data.example/{city}/{day:%Y-%m-%d}?x={city}",
        each={"city": ("a",)},
        allow_hosts=("b.example",),
    )
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(200)

    with memory(answer, Clock()) as client:
        client.get(Request("http://DATA.example:80/a/2026-01-01?x=a"), of)
        client.get(Request("http://b.example:8080/next"), of)
    assert asked == ["http://data.example/a/2026-01-01?x=a", "http://b.example:8080/next"]


# --- secrets


def test_parameters_are_added_when_sending_and_a_link_of_the_server_knows_better() -> None:
    """A next page keeps its own offset; a secret that the server repeated is replaced, not doubled."""
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.query.decode())
        return httpx2.Response(200)

    of = source(query={"$skip": "0", "key": SecretRef(secret="TOKEN", prefix="k-")})
    with memory(answer, Clock()) as client:
        first = client.get(Request(URL), of)
        following = client.get(Request(f"{URL}?$skip=100&key=k-s3cr%2Bt%2F%20value"), of)
    assert asked == ["$skip=0&key=k-s3cr%2Bt%2F%20value", "$skip=100&key=k-s3cr%2Bt%2F%20value"]
    assert (first.url, following.url) == (URL, f"{URL}?$skip=100")


def _repeating(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.RemoteProtocolError(
        f"bad answer to {request.url} with {request.headers.raw}", request=request
    )


@pytest.mark.parametrize(
    "answer",
    [
        _repeating,
        lambda _: httpx2.Response(503),
        lambda _: httpx2.Response(401),
        lambda request: httpx2.Response(302, headers={"Location": str(request.url)}),
        lambda _: httpx2.Response(302, headers={"Location": "/" + SECRET}),
        lambda _: httpx2.Response(302, headers={"Location": f"http://x.example/{SECRET}"}),
        lambda _: httpx2.Response(200, content=b"too long"),
    ],
    ids=["fault", "503", "401", "redirect to itself", "secret in path", "secret to another host", "too long"],
)
def test_no_log_line_and_no_error_tells_a_secret(
    answer: Callable[[httpx2.Request], httpx2.Response], caplog: pytest.LogCaptureFixture
) -> None:
    """All loggers at their most talkative, and every cause that an error could carry along."""
    of = source(
        "http://ada:s3cr@data.example/v1/items",
        headers={"X-Key": SecretRef(secret="TOKEN")},
        query={"key": SecretRef(secret="TOKEN")},
        policy={"attempts": 2, "max_bytes": 3},
    )
    with caplog.at_level(logging.DEBUG), memory(answer, Clock()) as client:
        error = fails(client, of)
    assert_secret_free(everything_said(error))
    assert_secret_free(caplog.text)
    assert "data.example/v1/items" in str(error) or "x.example" in str(error)


def test_a_secret_with_a_line_break_is_refused_without_showing_it(serve: Callable[[Answer], Server]) -> None:
    server = serve(lambda h: h.reply())
    of = source(server.url(), headers={"X-Key": SecretRef(secret="TOKEN")})
    with HttpClient("t", clock=lambda: NOW, secrets=lambda _: "s3cr\n", reachable=LOCAL) as client:
        error = fails(client, of)
    assert "X-Key" in str(error)
    assert_secret_free(everything_said(error))
    assert server.asked == []


def test_name_and_password_are_sent_to_their_host_and_shown_nowhere(
    serve: Callable[[Answer], Server], caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(lambda h: h.reply(h.headers["Authorization"].encode()))
    login = BasicAuth(username="ada", password=SecretRef(secret="TOKEN"))
    with caplog.at_level(logging.DEBUG), wire() as client:
        got = client.get(Request(server.url("/a")), source(server.url("/a"), basic_auth=login))
    sent = b64encode(f"ada:{SECRET}".encode())
    assert server.asked[0][1]["Authorization"] == f"Basic {sent.decode()}"
    assert got.body is not None
    assert sent[4:-4] not in got.body
    assert (got.redacted > 0, len(got.body)) == (True, len(b"Basic ") + len(sent))
    assert_secret_free(caplog.text)


REPEATED = [
    SECRET,
    "s3cr%2Bt%2F%20value",
    "s3cr+t\\/ value",
    *(b64encode((n * "x" + SECRET).encode()).decode() for n in range(3)),
]


@pytest.mark.parametrize("said", REPEATED)
def test_what_was_sent_does_not_come_back_in_body_headers_or_validators(
    serve: Callable[[Answer], Server], said: str
) -> None:
    server = serve(lambda h: h.reply(
        f'{{"you": "{said}", "n": 1}}'.encode(),
        ETag=f'"{said}"', Last_Modified="Sat, 22 Aug 2026 05:00:00 GMT", Content_Type=f"text/{said}",
        Link=f"<?t={said}>",
    ))  # fmt: skip
    of = source(server.url(), headers={"X-Key": SecretRef(secret="TOKEN")})
    with wire() as client:
        got = client.get(Request(server.url()), of)
    assert_secret_free(repr(got))
    assert said[3:-3] not in repr(got)
    assert got.body is not None
    assert (got.body[:9], got.body[-10:]) == (b'{"you": "', b'", "n": 1}'), "all else is as it was"
    assert got.redacted > 0
    assert (got.etag, got.last_modified) == (None, "Sat, 22 Aug 2026 05:00:00 GMT")


def test_a_packed_body_that_repeats_a_secret_is_not_kept(serve: Callable[[Answer], Server]) -> None:
    inner, outer = BytesIO(), BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", f"id;said\n1;{SECRET}\n")
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.zip", inner.getvalue())
    for body in (outer.getvalue(), gzip.compress(SECRET.encode())):
        server = serve(lambda h, body=body: h.reply(body))  # type: ignore[misc]
        of = source(server.url(), headers={"X-Key": SecretRef(secret="TOKEN")})
        with wire() as client:
            error = fails(client, of)
        assert "repeats a secret" in str(error)
        with wire() as client:
            assert client.get(Request(server.url()), source(server.url())).body == body


def test_a_secret_is_read_for_each_sending_and_its_absence_is_named() -> None:
    tokens = iter(["first", "second"])
    sent: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.headers["X-Key"])
        return httpx2.Response(503 if len(sent) == 1 else 200)

    clock = Clock()
    transport = httpx2.MockTransport(answer)
    of = source(headers={"X-Key": SecretRef(secret="TOKEN")}, policy={"attempts": 2})
    with HttpClient(
        "t",
        clock=lambda: NOW,
        secrets=lambda _: next(tokens),
        transport=transport,
        sleep=clock.sleep,
        monotonic=clock.monotonic,
    ) as client:
        client.get(Request(URL), of)
    assert sent == ["first", "second"]
    with memory(in_turn(), Clock()) as client, pytest.raises(SecretMissing, match="ABSENT"):
        client.get(Request(URL), source(headers={"X-Key": SecretRef(secret="ABSENT")}))


def test_cookies_of_one_answer_are_not_sent_with_the_next(serve: Callable[[Answer], Server]) -> None:
    server = serve(lambda h: h.reply(b"x", Set_Cookie="session=1; Path=/"))
    with wire() as client:
        for _ in range(2):
            client.get(Request(server.url()), source(server.url()))
    assert [headers["Cookie"] for _, headers in server.asked] == [None, None]


def test_a_public_address_has_no_userinfo_fragment_or_secret_parameter() -> None:
    of = source(query={"key": SecretRef(secret="TOKEN"), "page": "1"})
    shown = sanitize_url("http://u:p@data.example/x?a=%2F&key=1&%6bey=2&page=3#f", of)
    assert str(shown) == "http://data.example/x?a=%2F&page=3"


def test_a_redirect_is_looked_at_as_the_first_address_is(serve: Callable[[Answer], Server]) -> None:
    """At every hop: what the operator does not let be reached is not, whatever the tenant allows."""
    inner = serve(lambda h: h.reply(b"inner"))
    outer = serve(lambda h: h.reply(b"", status=302, Location=inner.url()))
    only = Reachable.from_text(f"127.0.0.1:{outer.server_port}")
    of = source(outer.url(), allow_hosts=("127.0.0.1",))
    with HttpClient("t", clock=lambda: NOW, secrets=secrets, reachable=only) as client:
        assert f"{inner.server_port} may not be reached" in str(fails(client, of))
    assert not inner.asked
