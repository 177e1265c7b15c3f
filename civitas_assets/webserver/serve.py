"""Starting Dagster's webserver with what stands in front of it, alone or as a part of the development server.

Dagster has no way to add to its application but by the name under which its command makes it; `tests/webserver` hold
that name against the version that is pinned.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from civitas_assets.report.kept_pages import make_pages
from civitas_assets.settings import Settings
from civitas_assets.store.storage import make_storage
from civitas_assets.webserver.guard import OwnOrigin
from civitas_assets.webserver.open_files import OpenFiles
from civitas_assets.webserver.pages import MorningPages
from civitas_assets.webserver.recorder import RequestRecorder

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_OTHERS_OUT = 0o027
_DAGSTERS = "dagster_webserver"
_OURS = "civitas_assets.webserver"


def guard_app(app: ASGIApp, prefix: str, settings: Settings) -> ASGIApp:
    """Dagster's application behind what this deployment puts in front of it."""
    shown = MorningPages(app, settings, lambda: make_pages(settings), prefix)
    offered = OpenFiles(shown, settings, lambda: make_storage(settings).files, prefix)
    recorded = RequestRecorder(offered, settings, prefix)
    return OwnOrigin(recorded, settings.ui_url, prefix, settings.ui_hosts.replace(",", " ").split())


def run_webserver() -> None:
    """Be `dagster-webserver`, guarded; see its `--help`."""
    os.umask(os.umask(0o077) | _OTHERS_OUT)
    settings = Settings()
    webserver: Any = importlib.import_module(f"{_DAGSTERS}.cli")
    made = webserver.create_app_from_workspace_process_context

    def guarded_app(context: Any, path_prefix: str = "", *args: Any, **more: Any) -> ASGIApp:
        return guard_app(made(context, path_prefix, *args, **more), path_prefix, settings)

    webserver.create_app_from_workspace_process_context = guarded_app
    webserver.main()


def run_develop() -> None:
    """Be `dg`, whose development server starts our webserver in place of Dagster's."""
    dev: Any = importlib.import_module("dagster._cli.dev")
    dg: Any = importlib.import_module("dagster_dg_cli.cli")  # of the extra `dev`
    started = dev.open_ipc_subprocess

    def with_ours(command: Sequence[str], **more: Any) -> Any:
        return started([_OURS if part == _DAGSTERS else part for part in command], **more)

    dev.open_ipc_subprocess = with_ours
    sys.argv[0] = "dg"
    dg.main()
