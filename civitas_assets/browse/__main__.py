"""The server's process: `python -m civitas_assets.browse TENANT PORT`, with the token on standard input.

marimo's own command would load its editor, too, which nobody needs here and everybody would wait for.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from threading import Thread

import marimo
import uvicorn

from civitas_assets.browse.chosen import choose_tenant
from civitas_assets.browse.server import HOST

_APP = Path(__file__).with_name("app.py")
_VIEWS = "civitas_assets.browse.views"


def serve_pages() -> None:
    """Serve the pages until the process is ended."""
    tenant, port = sys.argv[1:]
    choose_tenant(tenant)
    pages = marimo.create_asgi_app(quiet=True, token=sys.stdin.read(), skew_protection=True)
    app = pages.with_app(path="", root=str(_APP)).build()
    # Loaded while the browser reads the scripts of the page, and not when it asks for the first table.
    Thread(target=importlib.import_module, args=(_VIEWS,), daemon=True).start()
    uvicorn.run(app, host=HOST, port=int(port), log_level="error", access_log=False)


if __name__ == "__main__":
    serve_pages()
