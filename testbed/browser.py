"""Chromium as the system has it, without a window, for tests and measures; it asks nobody but the server of a page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_QUIET = ("quic", "background-networking", "component-update", "sync", "gpu")


def program() -> Path | None:
    """Where it is; None where it is not installed."""
    found = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    return next((Path(name) for name in found if name), None)


@contextmanager
def chromium(executable: Path) -> Iterator[Browser]:
    """The browser, until it is no longer needed: as long as it is there, no other event loop runs in this thread."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - most measures do without a browser

    arguments = ["--no-sandbox", "--no-first-run", *(f"--disable-{name}" for name in _QUIET)]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=arguments)
        try:
            yield opened
        finally:
            opened.close()
