"""Pins images by digest: writes `name:tag@sha256:...` in place of `name:tag` into the files of `deploy`.

Run it where registries can be reached: they are asked by the OCI distribution API. Which one has the images that are
named without a host, `--registry` says, such as a mirror of yours, for which `PIN_LOGIN=user:password` is the login;
without it, `docker buildx`, `skopeo` or `crane` is asked for those. What a tag names today is asked anew each time:
look at the difference. `--check` asks nobody, changes nothing and exits with 1 where an image has no digest.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

FOLDER = Path(__file__).resolve().parent.parent / "deploy"
FILES = ("compose.yaml", "Dockerfile", "kubernetes/values.yaml")
DIGEST = r"sha256:[0-9a-f]{64}"
# As Compose and Dockerfiles name an image, and as charts of Helm do, which put a colon between repository and tag.
_PATTERNS = (
    re.compile(
        rf"^(?P<before>\s*(?:image:|FROM)\s+)(?P<name>[a-z0-9][\w./:-]*?)(?P<between>:)(?P<tag>[\w.-]+)(?:@{DIGEST})?(?=\s|$)",
        re.MULTILINE,
    ),
    re.compile(
        rf"(?P<before>\brepository: )(?P<name>[a-z0-9][\w./:-]*)(?P<between>, tag: \")"
        rf"(?P<tag>[\w.-]+)(?:@{DIGEST})?(?=\")"
    ),
)
_TOOLS = {
    "docker": ["docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}"],
    "skopeo": ["skopeo", "inspect", "--format", "{{.Digest}}"],
    "crane": ["crane", "digest"],
}
_PLACEHOLDER = ".example"  # a host that every installation puts its own in place of
# What a tag may name: first those that are for several kinds of machines.
_ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_TIMEOUT = 30  # seconds
_LARGEST = 4 * 1024 * 1024  # bytes of a manifest, as the specification bounds it


class NoDigest(Exception):
    """The registry has not said which digest it is."""


class Image(NamedTuple):
    """An image by registry, repository and tag; `login` is `user:password`, where the registry may be told it."""

    registry: str
    repository: str
    tag: str
    login: str = ""

    @classmethod
    def parse(cls, name: str, tag: str, default: str, login: str = "") -> Image:
        """The image that a file names; one without a host is of the default registry, which alone is told the login."""
        host, slash, rest = name.partition("/")
        if slash and (any(char in host for char in ".:") or host == "localhost"):
            return cls(host, rest, tag, login if host == default else "")
        return cls(default, name if slash else f"library/{name}", tag, login)

    @property
    def address(self) -> str:
        """Where its manifest is; registries on loopback are asked without TLS, as engines do."""
        host = urlsplit(f"//{self.registry}").hostname
        scheme = "http" if host in {"localhost", "127.0.0.1", "::1"} else "https"
        return f"{scheme}://{self.registry}/v2/{self.repository}/manifests/{self.tag}"


def ask_tool(name: str, tag: str) -> str:
    """The digest of an image that is named without a host, as a tool of this machine finds it.

    Raises:
        NoDigest: there is none, or it has no answer.
    """
    tool = next((tool for tool in _TOOLS if shutil.which(tool)), None)
    if tool is None:
        raise NoDigest(
            f"{name} names no host: say by --registry which has it, or install one of {', '.join(_TOOLS)}"
        )
    address = f"docker://{name}:{tag}" if tool == "skopeo" else f"{name}:{tag}"
    done = subprocess.run([*_TOOLS[tool], address], capture_output=True, text=True, check=False)  # noqa: S603
    digest = done.stdout.strip()
    if done.returncode or not re.fullmatch(DIGEST, digest):
        raise NoDigest(f"{name}:{tag}: {done.stderr.strip() or f'{tool} gave no digest'}")
    return digest


def ask_registry(image: Image) -> str:
    """The digest that the registry has for the image today.

    Raises:
        NoDigest: it cannot be reached, does not let one in, has no such image, or answers something else.
    """
    try:
        status, headers, body = _ask("HEAD", image.address, "")
        said = ""
        if status == 401:
            said = _authorize(headers.get("WWW-Authenticate", ""), image)
            status, headers, body = _ask("HEAD", image.address, said)
        digest = str(headers.get("Docker-Content-Digest", ""))
        if status == 200 and not digest:  # the specification lets registries leave it out
            status, headers, body = _ask("GET", image.address, said)
            digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    except (OSError, ValueError) as error:
        raise NoDigest(f"{image.address}: {error}") from error
    if status != 200:
        raise NoDigest(f"{image.address}: HTTP {status}")
    if not re.fullmatch(DIGEST, digest):
        raise NoDigest(f"{image.address}: {digest[:80]!r} is no digest")
    return digest


def _ask(method: str, address: str, authorization: str) -> tuple[int, Any, bytes]:
    request = urllib.request.Request(address, method=method, headers={"Accept": _ACCEPT})  # noqa: S310 - of a file of ours
    if authorization:
        request.add_unredirected_header("Authorization", authorization)  # of this host alone
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
            body = answer.read(_LARGEST + 1)
            if len(body) > _LARGEST:
                raise ValueError(f"more than {_LARGEST:,} bytes")
            return answer.status, answer.headers, body
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, b""


def _authorize(challenge: str, image: Image) -> str:
    """What the registry wants to be told: a token of whom it names, or the login itself."""
    kind, _, rest = challenge.partition(" ")
    basic = f"Basic {base64.b64encode(image.login.encode()).decode()}" if image.login else ""
    if kind.lower() == "basic" and basic:
        return basic
    asked = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    if kind.lower() != "bearer" or "realm" not in asked:
        raise NoDigest(f"{image.address}: it asks for a login ({kind or 'of no known kind'}): set PIN_LOGIN")
    realm, own = urlsplit(asked["realm"]), urlsplit(image.address)
    if realm.scheme != "https" and (realm.scheme, realm.hostname) != (own.scheme, own.hostname):
        raise NoDigest(
            f"{image.address}: it sends to {realm.scheme}://{realm.hostname} for a token, without TLS"
        )
    wanted = {"scope": f"repository:{image.repository}:pull"} | {
        name: asked[name] for name in ("service", "scope") if name in asked
    }
    status, _, body = _ask("GET", f"{asked['realm']}?{urlencode(wanted)}", basic)
    if status != 200:
        raise NoDigest(f"{image.address}: {realm.hostname} gives no token: HTTP {status}")
    given = json.loads(body)
    token = given.get("token") or given.get("access_token") if isinstance(given, dict) else None
    if not isinstance(token, str):
        raise NoDigest(f"{image.address}: {realm.hostname} gives no token")
    return f"Bearer {token}"


def find_images(text: str) -> list[re.Match[str]]:
    """Where a file names images that a registry has."""
    found = (match for pattern in _PATTERNS for match in pattern.finditer(text))
    return [match for match in found if not match["name"].partition("/")[0].endswith(_PLACEHOLDER)]


def pin(text: str, digests: dict[tuple[str, str], str]) -> str:
    """The text with a digest behind each image."""
    for match in sorted(find_images(text), key=lambda match: match.start(), reverse=True):
        name = f"{match['before']}{match['name']}{match['between']}{match['tag']}"
        text = f"{text[: match.start()]}{name}@{digests[match['name'], match['tag']]}{text[match.end() :]}"
    return text


def main() -> None:
    """Pin, or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit with 1 where a digest is missing"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where there are {', '.join(FILES)}")
    parser.add_argument(
        "--registry", default="", metavar="HOST", help="of images that are named without a host"
    )
    given = parser.parse_args()
    texts = {file: (given.folder / file).read_text(encoding="utf-8") for file in FILES}
    found = [match for text in texts.values() for match in find_images(text)]
    if given.check:
        missing = sorted({f"{match['name']}:{match['tag']}" for match in found if "@" not in match[0]})
        sys.exit("\n".join(f"{image} has no digest" for image in missing) or None)
    names = sorted({(match["name"], match["tag"]) for match in found})
    login = os.environ.get("PIN_LOGIN", "")
    images = {name: Image.parse(*name, given.registry, login) for name in names}
    try:
        digests = {
            name: ask_registry(image) if image.registry else ask_tool(*name) for name, image in images.items()
        }
    except NoDigest as error:
        sys.exit(f"{error}; nothing was changed")
    for file, text in texts.items():
        if (pinned := pin(text, digests)) != text:
            (given.folder / file).write_text(pinned, encoding="utf-8")
    for (name, tag), digest in digests.items():
        sys.stdout.write(f"{name}:{tag} {digest}\n")


if __name__ == "__main__":
    main()
