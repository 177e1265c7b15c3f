"""Images get the digests that a registry has for their tags, or nothing changes; logins go to whom they are for."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from civitas_assets.settings import PROJECT_DIR
from testbed.serving import Loopback, Request

DEPLOY = PROJECT_DIR / "deploy"
MANIFEST = b'{"schemaVersion": 2}'
LOGIN = "Basic " + base64.b64encode(b"town:not-a-secret").decode()


class Registry:
    """A registry of one manifest under every name, which gives a token to whom asks for the right scope."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.asked: list[tuple[str, str, str]] = []  # method, path and authorization
        self.challenge = 'Bearer realm="{url}/token",service="here",scope="repository:{repository}:pull"'
        self.status, self.digest = 200, f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"

    def answer(self, handler: Request) -> None:
        said = handler.headers.get("Authorization", "")
        self.asked.append((handler.command, handler.path, said))
        parts = urlsplit(handler.path)
        if parts.path == "/token":
            (scope,) = parse_qs(parts.query)["scope"]
            self.reply(handler, 200, json.dumps({"token": scope}).encode(), {})
            return
        repository = parts.path.removeprefix("/v2/").partition("/manifests/")[0]
        if said not in {f"Bearer repository:{repository}:pull", LOGIN}:
            challenge = self.challenge.format(url=f"http://{self.host}", repository=repository)
            self.reply(handler, 401, b"", {"WWW-Authenticate": challenge})
            return
        assert "application/vnd.oci.image.index.v1+json" in handler.headers["Accept"]
        self.reply(
            handler, self.status, MANIFEST, {"Docker-Content-Digest": self.digest} if self.digest else {}
        )

    @staticmethod
    def reply(handler: Request, status: int, body: bytes, headers: dict[str, str]) -> None:
        handler.reply(body, status, **headers)


@pytest.fixture(scope="module")
def served() -> Iterator[list[Registry]]:
    """The registry of the test, behind one address for all of them."""
    now = list[Registry]()

    class Handler(Request):
        def do_HEAD(self) -> None:
            now[-1].answer(self)

        def do_GET(self) -> None:
            now[-1].answer(self)

    with closing(Loopback(Handler)) as server:
        now.append(Registry(f"127.0.0.1:{server.port}"))
        yield now


@pytest.fixture
def registry(served: list[Registry]) -> Registry:
    served.append(Registry(served[-1].host))
    return served[-1]


@pytest.fixture(scope="module")
def script() -> Any:
    spec = importlib.util.spec_from_file_location("pin_images", PROJECT_DIR / "scripts" / "pin_images.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Pin = Callable[..., str]


@pytest.fixture
def pin(
    script: Any,
    registry: Registry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Pin:
    """Runs the script on copies of the files, of which one host is the registry's; what it exits with, "" for 0."""
    for file in script.FILES:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        text = (DEPLOY / file).read_text(encoding="utf-8").replace("quay.io/", f"{registry.host}/")
        text = text.replace("registry.musterstadt.example/", f"{registry.host}/own/", 1)
        (tmp_path / file).write_text(text, encoding="utf-8")
    (tmp_path / "tools").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "tools"))

    def run(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["pin_images.py", "--folder", str(tmp_path), *arguments])
        try:
            script.main()
        except SystemExit as error:
            return str(error.code or "")
        return ""

    return run


def texts_of(folder: Path, script: Any) -> dict[str, str]:
    return {file: (folder / file).read_text(encoding="utf-8") for file in script.FILES}


def test_every_image_is_pinned_in_its_place_and_again_to_the_same(
    pin: Pin, registry: Registry, script: Any, tmp_path: Path
) -> None:
    before = texts_of(tmp_path, script)
    missing = pin("--check")
    assert "caddy:2.11.7 has no digest" in missing
    assert "musterstadt.example" not in missing, "an address of nobody is not asked"
    assert (registry.asked, texts_of(tmp_path, script)) == ([], before)
    for _ in range(2):
        assert pin("--registry", registry.host) == ""
        assert pin("--check") == ""
    after = texts_of(tmp_path, script)
    assert f"image: caddy:2.11.7@{registry.digest}\n" in after["compose.yaml"]
    assert f"FROM python:3.11-slim-bookworm@{registry.digest} AS build\n" in after["Dockerfile"]
    assert (
        f'{registry.host}/own/civitas-assets, tag: "0.1.0@{registry.digest}"'
        in after["kubernetes/values.yaml"]
    )
    assert {file: text.replace(f"@{registry.digest}", "") for file, text in after.items()} == before
    yaml.safe_load(after["compose.yaml"])
    asked = {path for method, path, said in registry.asked if method == "HEAD" and said}
    assert asked == {
        "/v2/library/caddy/manifests/2.11.7", "/v2/geopython/pygeoapi/manifests/0.21.0",
        "/v2/library/python/manifests/3.11-slim-bookworm",
        "/v2/postgis/postgis/manifests/17-3.5", "/v2/oauth2-proxy/oauth2-proxy/manifests/v7.15.5",
        "/v2/own/civitas-assets/manifests/0.1.0",
    }  # fmt: skip


def test_a_registry_that_does_not_say_the_digest_is_asked_for_the_manifest(
    pin: Pin, registry: Registry
) -> None:
    registry.digest = ""
    assert pin("--registry", registry.host) == ""
    assert pin("--check") == ""
    assert "GET" in {method for method, path, _ in registry.asked if path.startswith("/v2/")}


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ({"status": 404}, "HTTP 404"),
        ({"digest": "sha256:short"}, "'sha256:short' is no digest"),
        ({"challenge": 'Bearer realm="http://elsewhere.example/token"'}, "for a token, without TLS"),
        ({"challenge": "Negotiate"}, "it asks for a login (Negotiate): set PIN_LOGIN"),
        ({"challenge": 'Basic realm="own"'}, "it asks for a login (Basic): set PIN_LOGIN"),
    ],
    ids=["no tag", "no digest", "token without TLS", "unknown login", "no login"],
)
def test_what_a_registry_does_not_say_changes_nothing(  # noqa: PLR0917 - fixtures
    pin: Pin, registry: Registry, script: Any, tmp_path: Path, faults: dict[str, Any], told: str
) -> None:
    before = texts_of(tmp_path, script)
    for name, value in faults.items():
        setattr(registry, name, value)
    said = pin("--registry", registry.host)
    assert told in said
    assert said.endswith("; nothing was changed")
    assert texts_of(tmp_path, script) == before


def test_a_login_is_for_the_named_registry_alone(
    pin: Pin, registry: Registry, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIN_LOGIN", "town:not-a-secret")
    registry.challenge = 'Basic realm="own"'
    assert pin("--registry", registry.host) == ""
    other = script.Image.parse("other.example/a/b", "1", registry.host, "town:not-a-secret")
    assert (other.address, other.login) == ("https://other.example/v2/a/b/manifests/1", "")


def test_names_without_a_host_are_a_tools_where_no_registry_is_said(
    pin: Pin, registry: Registry, script: Any, tmp_path: Path
) -> None:
    assert "caddy names no host: say by --registry which has it" in pin()
    tool = tmp_path / "tools" / "docker"
    tool.write_text("#!/bin/sh\necho no way >&2; exit 1\n", encoding="utf-8")
    tool.chmod(0o755)
    before = texts_of(tmp_path, script)
    assert "caddy:2.11.7: no way; nothing was changed" in pin()
    assert texts_of(tmp_path, script) == before
    found = f"sha256:{'ab' * 32}"
    tool.write_text(
        f'#!/bin/sh\n[ "$1 $2 $3" = "buildx imagetools inspect" ] && echo {found}\n', encoding="utf-8"
    )
    assert pin() == ""
    after = texts_of(tmp_path, script)["compose.yaml"]
    assert f"caddy:2.11.7@{found}\n" in after
    assert f"oauth2-proxy:v7.15.5@{registry.digest}\n" in after
