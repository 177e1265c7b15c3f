#!/usr/bin/env bash
# Times by the hour, such as 2026080112 of the German weather service, are what strptime of Python reads by %Y%m%d%H. That of
# Polars refuses the format, also where it is not strict; a text with minutes, such as that with two zeros behind, it reads.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q "polars==2.1.0"
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import datetime

import polars as pl

print("polars", pl.__version__)
hours, noon = pl.Series(["2026080112"]), datetime(2026, 8, 1, 12)
print("Python:", datetime.strptime(hours[0], "%Y%m%d%H"))
assert datetime.strptime(hours[0], "%Y%m%d%H") == noon
padded = hours.str.pad_end(12, "0").str.strptime(pl.Datetime("us"), "%Y%m%d%H%M", strict=False)
print("Polars, with minutes:", padded[0])
assert padded[0] == noon
try:
    print("Polars, by the hour:", hours.str.strptime(pl.Datetime("us"), "%Y%m%d%H", strict=False)[0])
except pl.exceptions.ComputeError as error:
    print("Polars, by the hour:", type(error).__name__, "-", str(error).splitlines()[0])
else:
    raise SystemExit("it reads hours now: this has changed")
PYTHON
