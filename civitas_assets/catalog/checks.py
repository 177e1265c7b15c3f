"""What a tenant is held against beside the form of its file: whose secrets it names, and the operator's ceilings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from civitas_assets.catalog.access import SecretRef
from civitas_assets.catalog.frame import Frame
from civitas_assets.catalog.model import Source, Tenant
from civitas_assets.catalog.yaml_document import Place
from civitas_assets.redaction import has_password, is_credential

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2

# Faults of a tenant: the place in its file, and a sentence.
Check = Callable[[Tenant], Iterable[tuple[Place, str]]]


def check_secrets(slugs: Sequence[str], frame: Frame) -> Check:
    """That a tenant names secrets of its own, or such as the operator lists; `slugs` are the keys of all tenants."""

    def check(tenant: Tenant) -> Iterator[tuple[Place, str]]:
        for place, name in _secrets(tenant.model_dump(), ()):
            owner = _owner(name, slugs)
            if owner == tenant.slug or frame.lists(tenant.slug, name):
                continue
            whose = (
                f"a secret of {owner}: a tenant has its own" if owner else "which is no secret of this tenant"
            )
            own = f"they begin with {tenant.slug.upper()}_, or are listed by the operator in CIVITAS_SECRETS"
            yield place, f"names {name}, {whose}; {own}"

    return check


def find_credentials(tenant: Tenant) -> Iterator[tuple[Place, str]]:
    """That nothing which lets somebody in stands in the file itself; it is not repeated."""
    told = set[Place]()
    for name, source in tenant.sources.items():
        for place, text in _credentials(source):
            told.add(("sources", name, *place))
            yield ("sources", name, *place), text
    for place, text in _texts(tenant.model_dump(), ()):
        if place not in told and has_password(text):
            yield (
                place,
                "holds an address with a password: leave that out, and name it as a secret where it is needed",
            )


def find_malformed(tenant: Tenant) -> Iterator[tuple[Place, str]]:
    """That addresses and headers can be sent as they are; what is not so may hold anything, and is not repeated."""
    for name, source in tenant.sources.items():
        place = ("sources", name)
        if source.url.startswith(("http://", "https://")) and (fault := _fault_of_address(source.url)):
            yield (*place, "url"), fault
        for header, written in source.headers.items():
            if not _TOKEN.fullmatch(header):
                yield (*place, "headers"), "has a name that no header can have"
            text = written if isinstance(written, str) else written.prefix
            if _CONTROLS.search(text):
                yield (*place, "headers", header), "holds a control character, such as the end of a line"


def _fault_of_address(url: str) -> str:
    if _CONTROLS.search(url):
        return "holds a control character, such as the end of a line"
    try:
        parts = urlsplit(url)
        named, _ = parts.hostname, parts.port
    except ValueError:
        return "has no host or port that could be asked: look at what follows ://"
    return "" if named else "names no host: look at what follows ://"


def _credentials(source: Source) -> Iterator[tuple[Place, str]]:
    """What is in the address, the headers and the parameters of a source; other protocols have logins of their own."""
    if source.url.startswith(("http://", "https://")) and not _fault_of_address(source.url):
        address = urlsplit(source.url)
        if "@" in address.netloc:
            login = "basic_auth: {username: USER, password: {secret: NAME}}"
            yield ("url",), f"holds a login: leave that out, and name it, as in {login}"
        for name, value in parse_qsl(address.query):
            if is_credential(name, value):
                yield (
                    ("url",),
                    f"holds {name}: name it as a secret, as in query: {{{name}: {{secret: NAME}}}}",
                )
    for place, given in (("headers", source.headers), ("query", source.query)):
        for name, written in given.items():
            if isinstance(written, str) and is_credential(name, written):
                prefix = ', prefix: "Bearer "' if written.lower().startswith("bearer ") else ""
                named = f"{name}: {{secret: NAME{prefix}}}"
                yield (place, name), f"holds what lets somebody in: name it as a secret, as in {named}"


def _texts(dumped: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(dumped, str):
        yield place, dumped
    elif isinstance(dumped, Mapping):
        for key, inner in dumped.items():
            yield from _texts(inner, (*place, key))
    elif isinstance(dumped, (list, tuple)):
        for number, inner in enumerate(dumped):
            yield from _texts(inner, (*place, number))


def _secrets(dumped: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """The names of all secrets in a tenant's settings, with their places."""
    if isinstance(dumped, Mapping):
        if dumped.keys() == SecretRef.model_fields.keys():
            yield (*place, "secret"), dumped["secret"]
        for key, inner in dumped.items():
            yield from _secrets(inner, (*place, key))
    elif isinstance(dumped, (list, tuple)):
        for number, inner in enumerate(dumped):
            yield from _secrets(inner, (*place, number))


def _owner(secret: str, tenants: Sequence[str]) -> str | None:
    """Whose secret it is by its name: the tenant with the longest key that it begins with."""
    return max((slug for slug in tenants if secret.startswith(f"{slug.upper()}_")), key=len, default=None)


def check_limits(frame: Frame) -> Check:
    """That what a file says itself is not over what the operator lets be; defaults are lowered without a word."""

    def check(tenant: Tenant) -> Iterator[tuple[Place, str]]:
        for name, source in tenant.sources.items():
            for place, given, most, setting in _limits(source, frame):
                if given > most:
                    said = f"is over {most}, the most that the operator lets be ({setting})"
                    yield ("sources", name, *place), said

    return check


def _limits(source: Source, frame: Frame) -> Iterator[tuple[Place, Any, Any, str]]:
    http = source.http
    limits: dict[str, tuple[Any, Any, str]] = {
        "max_bytes": (http.max_bytes, frame.max_bytes, "CIVITAS_MAX_BYTES"),
        "max_pages": (http.max_pages, frame.max_pages, "CIVITAS_MAX_PAGES"),
        "total_time": (http.total_time, frame.max_time, "CIVITAS_MAX_TIME"),
        "fetch_time": (http.fetch_time or frame.max_time, frame.max_time, "CIVITAS_MAX_TIME"),
    }
    for name, limit in limits.items():
        if name in http.model_fields_set:
            yield ("http", name), *limit
    if "look_back" in source.model_fields_set:
        yield ("look_back",), source.look_back, frame.max_look_back, "CIVITAS_MAX_LOOK_BACK"
