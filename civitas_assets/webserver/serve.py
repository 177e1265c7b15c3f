"""Starting Dagster's webserver with what stands in front of it.

Dagster has no way to add to its application but by the name under which its command makes it; `tests/webserver` hold
that name against the version that is pinned.
"""

from __future__ import annotations

import importlib
import os
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
    webserver: Any = importlib.import_module("dagster_webserver.cli")
    made = webserver.create_app_from_workspace_process_context

    def guarded_app(context: Any, path_prefix: str = "", *args: Any, **more: Any) -> ASGIApp:
        return guard_app(made(context, path_prefix, *args, **more), path_prefix, settings)

    webserver.create_app_from_workspace_process_context = guarded_app
    webserver.main()
