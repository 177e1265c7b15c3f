#!/usr/bin/env bash
# Python ends a wait when SIGINT comes. Importing Polars puts a handler beside Python's which has the system begin again what
# it interrupts: a wait goes on to its own end, and the interrupt is raised only then. Python's handler set anew mends it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q "polars==2.1.0"
"$folder/venv/bin/python" - <<'PYTHON'
import os
import signal
import threading
import time


def seconds_until_interrupted() -> float:
    """An interrupt comes half a second after the beginning of a wait that another thread ends after three."""
    event = threading.Event()
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    threading.Timer(3, event.set).start()
    began = time.monotonic()
    try:
        event.wait()
        time.sleep(0.1)
    except KeyboardInterrupt:
        pass
    return round(time.monotonic() - began, 1)


signal.signal(signal.SIGINT, signal.default_int_handler)
before = seconds_until_interrupted()
import polars as pl  # noqa: E402

with_polars = seconds_until_interrupted()
signal.signal(signal.SIGINT, signal.getsignal(signal.SIGINT))
set_anew = seconds_until_interrupted()
print("polars", pl.__version__)
print("seconds until a wait that ends after three was interrupted:", before, "without Polars,", with_polars, "with it,", set_anew,
      "with Python's handler set anew")
if not before < 1 <= 2.5 < with_polars or set_anew >= 1:
    raise SystemExit("this has changed")
PYTHON
