"""What the address of a page says of it: how many entities come before it, and how many are on it at most.

When another page is asked for than a link leads to is decided in `pagination.py`.
"""

from __future__ import annotations

import re

_COUNTS = re.compile(r"([?&](?:(?:\$|%24)skip|offset|startindex)=)(\d+)(?=&|$)", re.IGNORECASE)
_SIZE = re.compile(r"([?&](?:(?:\$|%24)top|limit|count)=)(\d+)(?=&|$)", re.IGNORECASE)


def step_back(url: str) -> str | None:
    """The address so that the page begins with the entity before; None where it counts none."""
    found = _COUNTS.search(url)
    if found is None or int(found[2]) < 1:
        return None
    return f"{url[: found.start(2)]}{int(found[2]) - 1}{url[found.end(2) :]}"


def read_page_size(url: str) -> int | None:
    """How many entities an address asks for at most."""
    found = _SIZE.search(url)
    return int(found[2]) if found else None


def resize_page(url: str, attempts: int) -> str:
    """The address with another size of pages than in the attempts before, since no address is asked for twice."""
    found = _SIZE.search(url)
    if found is None or attempts == 1:
        return url
    size, less = int(found[2]), attempts - 1
    return f"{url[: found.start(2)]}{size - less if size > less + 1 else size + less}{url[found.end(2) :]}"
