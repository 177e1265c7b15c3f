"""dbt, called when the project is prepared: it parses the project, makes the blank workspace and compiles everything.

A program of its own, so that dbt's seconds of imports, its memory and its open database go with it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from civitas_assets.harmonise.invocation import make_dbt_arguments


def compile_project(folder: Path, working: Path) -> int:
    """Make seeds, views and empty tables in the workspace of `working`, then compile all; what dbt says is printed.

    The manifest with the compiled SQL of every model and data test is below `working`. Returns 0 where all went well.
    """
    from dbt.cli.main import dbtRunner

    unwritten = "--no-write-json"  # the manifest, which has to be written once: when all is compiled
    parsed = dbtRunner().invoke(make_dbt_arguments("parse", folder, working, [unwritten]))
    if not parsed.success:
        return _explained(parsed.exception)
    dbt = dbtRunner(manifest=parsed.result)  # type: ignore[arg-type]
    for command, selection in (
        ("build", ("--selector", "prepare", unwritten)),
        ("compile", ("--select", "resource_type:model", "resource_type:test", "--quiet")),
    ):
        done = dbt.invoke(make_dbt_arguments(command, folder, working, selection))
        if not done.success:
            return _explained(done.exception)
    return 0


def _explained(fault: BaseException | None) -> int:
    if fault is not None:
        sys.stderr.write(f"{fault}\n")
    return 1


if __name__ == "__main__":
    sys.exit(compile_project(Path(sys.argv[1]), Path(sys.argv[2])))
