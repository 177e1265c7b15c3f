"""`python -m civitas_assets.webserver.develop dev`: `dg dev` with the webserver that is deployed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

from civitas_assets.defs.dagster_internals import load_dev_command

_DAGSTERS = "dagster_webserver"
_OURS = "civitas_assets.webserver"


def run_develop() -> None:
    """Be `dg`, whose development server starts our webserver in place of Dagster's."""
    dev: Any = load_dev_command()
    dg: Any = importlib.import_module("dagster_dg_cli.cli")  # of the extra `dev`
    started = dev.open_ipc_subprocess

    def with_ours(command: Sequence[str], **more: Any) -> Any:
        return started([_OURS if part == _DAGSTERS else part for part in command], **more)

    dev.open_ipc_subprocess = with_ours
    sys.argv[0] = "dg"
    dg.main()


if __name__ == "__main__":
    run_develop()
