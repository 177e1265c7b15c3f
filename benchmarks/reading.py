"""Reading, connector by connector: processor time from landed bodies to records, side by side with another build.

CIVITAS_BENCHMARK_BEFORE names a checkout with a .venv of its own; the builds take turns, so that a busy machine slows
both alike.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import msgspec

from benchmarks.reading_samples import SAMPLES, Sample
from benchmarks.town import Figures

_PAIRS, _TIMES = 5, 3
_HERE = Path(__file__).parents[1]


def read_samples(folder: Path) -> Figures:
    """Milliseconds of each sample by this build, and its ratio to the build before, where there is one."""
    only = os.environ.get("CIVITAS_BENCHMARK_SAMPLES", "").split(",")
    before = os.environ.get("CIVITAS_BENCHMARK_BEFORE", "")
    figures: Figures = {}
    folder.mkdir(parents=True, exist_ok=True)
    for name, sample in SAMPLES.items():
        if only == [""] or name in only:
            figures |= _compare(name, sample, folder / "sample", Path(before) if before else None)
    return figures


def _compare(name: str, sample: Sample, file: Path, before: Path | None) -> Figures:
    bodies = sample.bodies()
    about = {"settings": sample.settings, "role": sample.role, "bodies": [(v, len(b)) for v, b in bodies]}
    file.write_bytes(json.dumps(about).encode() + b"\n" + b"".join(body for _, body in bodies))
    new, old = list[float](), list[float]()
    for pair in range(_PAIRS):
        turns = [(_HERE, new), *([(before, old)] if before else [])]
        for checkout, spent in turns if pair % 2 else reversed(turns):
            spent.append(_read(checkout, file))
    figures = {f"{name}: ms": statistics.median(new) * 1000}
    if old:
        figures[f"{name}: ms before"] = statistics.median(old) * 1000
        ratios = [one / other for one, other in zip(new, old, strict=True)]
        figures[f"{name}: ratio, median of pairs"] = statistics.median(ratios)
        figures[f"{name}: ratio, least of each"] = min(new) / min(old)
    return figures


def _read(checkout: Path, file: Path) -> float:
    """The least processor seconds of some readings in a process of its own."""
    python = sys.executable if checkout == _HERE else checkout / ".venv/bin/python"
    done = subprocess.run(
        [python, "-P", Path(__file__).with_name("reading_worker.py"), file, str(_TIMES)],
        env={**os.environ, "PYTHONPATH": str(checkout)},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{checkout}: {done.stderr[-1500:]}")
    return min(msgspec.json.decode(done.stdout.splitlines()[-1], type=list[float])[1:])
