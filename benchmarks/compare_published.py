"""Whether two checkouts publish the same: every table of the sample towns, and of recorded payloads, value by value.

Called as `python -m benchmarks.compare_published BEFORE AFTER`, with `--payloads FOLDER` for recorded payloads that
`FOLDER/../replay/serve.py` serves. Everything is fetched once; then each checkout reads what has landed, and publishes
it, in a home of its own. So all times at which something came are the same, and only ids of runs may differ. Both use
this interpreter and its packages.

It prints what differs, and exits with 1 if anything does.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from string import Template

import yaml

from civitas_assets.demo.servers import start_servers
from civitas_assets.demo.towns import write_towns
from testbed.published_files import compare_files

_ROOT = Path(__file__).resolve().parent.parent
_FETCHED = ("landing", "keys")  # below a home: what came, and by what pseudonyms are made


def main() -> None:
    """Fetch, have both publish, and compare."""
    parser = argparse.ArgumentParser(
        prog="compare_published", description="Compare what two checkouts publish."
    )
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--payloads", type=Path, help="folder of recorded payloads, beside `replay`")
    parser.add_argument("--keep", type=Path, help="folder for all homes, which stays")
    given = parser.parse_args()
    with ExitStack() as held:
        folder = given.keep or Path(held.enter_context(tempfile.TemporaryDirectory()))
        tenants = folder / "tenants"
        tenants.mkdir(parents=True)
        _fetch(given.before, folder, tenants, given.payloads)
        slugs = sorted(file.stem for file in tenants.glob("*.yaml"))
        for name, checkout in (("before", given.before), ("after", given.after)):
            for part in _FETCHED:
                if (folder / "landed" / part).is_dir():
                    shutil.copytree(folder / "landed" / part, folder / name / part)
            for slug in slugs:
                _call(checkout, folder / name, tenants, "rebuild", slug, "--records")
        found = [
            f"{slug}: {difference}"
            for slug in slugs
            for difference in compare_files(
                *(folder / name / "published" / slug / f"{slug}_db.duckdb" for name in ("before", "after"))
            )
        ]
    for difference in found:
        print(difference)
    print(f"{len(slugs)} tenants, {len(found)} differences")
    sys.exit(bool(found))


def _fetch(checkout: Path, folder: Path, tenants: Path, payloads: Path | None) -> None:
    """Have all that the tenants' sources answer land in `landed`."""
    home = folder / "landed"
    with start_servers(datetime.now(UTC).date()) as servers:
        write_towns(tenants, servers.url, servers.queue)
        _call(checkout, home, tenants, "run")
    if payloads is None:
        return
    with _replaying(payloads) as url:
        for template in sorted((_ROOT / "tests" / "integration" / "tenants").glob("*.yaml")):
            text = Template(template.read_text(encoding="utf-8")).safe_substitute(url=url)
            if "sources" in yaml.safe_load(text) and "/files/" in text:
                (tenants / template.name).write_text(text, encoding="utf-8")
                _call(checkout, home, tenants, "run", "--tenant", template.stem)
        _fetch_nights(checkout, home, tenants, url)


def _fetch_nights(checkout: Path, home: Path, tenants: Path, url: str) -> None:
    """The nights of Münster's counters, as they were recorded one after the other."""
    town = yaml.safe_load(
        (_ROOT / "civitas_assets" / "tenants" / "muenster.yaml").read_text(encoding="utf-8")
    )
    counters = town["sources"]["bicycle_counters"]
    counters |= {
        "url": f"{url}/counters/{{counter}}/{{month:%Y-%m}}.csv",
        "http": {"requests_per_second": 200},
    }
    town["sources"] = {"bicycle_counters": counters}
    (tenants / "muenster.yaml").write_text(yaml.safe_dump(town), encoding="utf-8")
    with urllib.request.urlopen(f"{url}/clock") as answer:
        nights = json.load(answer)["nights"]
    for night in nights:
        urllib.request.urlopen(urllib.request.Request(f"{url}/clock", night.encode(), method="POST")).close()
        _call(
            checkout,
            home,
            tenants,
            "run",
            "--tenant",
            "muenster",
            "--from",
            nights[0][:10],
            "--to",
            night[:10],
        )


@contextmanager
def _replaying(payloads: Path) -> Iterator[str]:
    script = payloads.resolve().parent / "replay" / "serve.py"
    process = subprocess.Popen(
        [sys.executable, str(script), "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def _call(checkout: Path, home: Path, tenants: Path, *arguments: str) -> None:
    """A command of a checkout; that a source is down is no fault of it, only that nothing comes of a call is."""
    environment = {
        **os.environ,
        "CIVITAS_HOME": str(home.resolve()),
        "CIVITAS_TENANTS_DIR": str(tenants.resolve()),
        "CIVITAS_REACHABLE": "127.0.0.0/8 ::1",
        "DAGSTER_HOME": "",
        "PYTHONPATH": str(checkout.resolve()),
    }
    command = [sys.executable, "-m", "civitas_assets.cli", *arguments]
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    if "Traceback" in done.stderr:
        sys.exit(f"{checkout}: {' '.join(arguments)}: {done.stderr[-2000:]}")


if __name__ == "__main__":
    main()
