"""Documents that are pages: where a sample says that there are more, and how a source follows.

Which members are called so, `connectors/pagination/partial.py` knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from civitas_assets.connectors.pagination.partial import ABOUT, NEXT_MEMBERS, TOKENS, TOTALS
from civitas_assets.propose.sample import quote_jmespath

_BEGINNINGS = ("http://", "https://", "/", "?")


def propose_paging(content: Any, records: int) -> tuple[dict[str, Any], list[str]]:
    """The settings by which the pages after this one are followed, and what has to be said of it.

    `records` is how many the document has: a number that is larger is that of all.
    """
    settings, remarks = dict[str, Any](), list[str]()
    for path, name, value in _said(content):
        target, place = value, path
        if isinstance(value, dict) and isinstance(value.get("href"), str):  # HAL
            target, place = value["href"], f"{path}.href"
        if name in NEXT_MEMBERS and isinstance(target, str) and target.startswith(_BEGINNINGS):
            settings.setdefault("next", place)
        elif (
            name in {*NEXT_MEMBERS, *TOKENS} and value and isinstance(value, str | int) and value is not True
        ):
            remarks.append(
                f"{path} may be what leads to a further page: say next: {path}, and as next_parameter the parameter "
                "of the address that takes it"
            )
        elif name in {*TOTALS, "total", "count"} and isinstance(value, int) and value > records:
            settings.setdefault("total", path)
    if links := next(
        (path for path, name, value in _said(content) if name == "links" and _leads_on(value)), ""
    ):
        settings.setdefault("next", f"{links}[?rel=='next'].href | [0]")
    if "next" not in settings:
        return {}, remarks
    return settings, []


def _said(content: Any) -> Iterator[tuple[str, str, Any]]:
    """Path, name and value of each member at the top of a document, and of those that speak of it."""
    for name, value in content.items() if isinstance(content, dict) else ():
        path = name if name.startswith("@") else quote_jmespath(name)
        yield path, name, value
        if name in ABOUT and isinstance(value, Mapping):
            yield from ((f"{path}.{quote_jmespath(inner)}", inner, part) for inner, part in value.items())


def _leads_on(links: Any) -> bool:
    return isinstance(links, list) and any(
        isinstance(link, dict) and link.get("rel") == "next" and isinstance(link.get("href"), str)
        for link in links
    )
