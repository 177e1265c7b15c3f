"""`python -m civitas_assets.webserver.serve_open`: the folders of open data alone, where no login stands in front.

It has no UI, no pages and no secret to give away: only folders that are for everybody.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

from civitas_assets.settings import Settings
from civitas_assets.store.storage import make_storage
from civitas_assets.webserver.open_files import OpenFiles

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def make_open_app(settings: Settings) -> ASGIApp:
    """What answers below `/open`, and nowhere else."""
    nothing = PlainTextResponse("There is no such file.\n", 404)
    return OpenFiles(nothing, settings, lambda: make_storage(settings).files, is_guarded=False)


def run_open_files() -> None:
    """Answer until the process is ended; see `--help`."""
    import uvicorn  # noqa: PLC0415 - a server is loaded where one is started

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3001)
    asked = parser.parse_args()
    uvicorn.run(
        make_open_app(Settings()), host=asked.host, port=asked.port, log_level="warning", lifespan="off"
    )


if __name__ == "__main__":
    run_open_files()
