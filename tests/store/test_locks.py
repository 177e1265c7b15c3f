"""A tenant has one worker at a time, and a worker that dies leaves no lock behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from civitas_assets.errors import TenantBusy
from civitas_assets.store.locks import hold_tenant_lock

HOLDER = """
import sys
from pathlib import Path
from civitas_assets.store.locks import hold_tenant_lock
with hold_tenant_lock(Path(sys.argv[1]), "town"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_refused_until_the_first_ends_however_it_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with (
                pytest.raises(TenantBusy, match="another run is working for town"),
                hold_tenant_lock(tmp_path, "town"),
            ):
                pass
            with hold_tenant_lock(tmp_path, "other"):
                pass
        finally:
            holder.kill()
    with hold_tenant_lock(tmp_path, "town"):
        pass


def test_a_lock_is_let_go_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold_tenant_lock(tmp_path / "new" / "folder", "town"):
        raise ZeroDivisionError
    with hold_tenant_lock(tmp_path / "new" / "folder", "town"):
        pass
