#!/usr/bin/env bash
# A cast that is not strict gives null where a value does not fit. Of bytes that are no UTF-8 it raises an error, for the
# whole column; the values that are text are lost with it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q "polars==2.1.0"
"$folder/venv/bin/python" - <<'PYTHON'
import polars as pl

print("polars", pl.__version__)
numbers = pl.Series(["1", "x"]).cast(pl.Int64, strict=False).to_list()
print("texts to numbers, not strict:", numbers)
assert numbers == [1, None]
names = pl.Series(["Köln".encode(), "Köln".encode("latin-1")])
try:
    print("bytes to text, not strict:", names.cast(pl.String, strict=False).to_list())
except pl.exceptions.ComputeError as error:
    print("bytes to text, not strict:", type(error).__name__, "-", str(error).splitlines()[0])
else:
    raise SystemExit("it is null now: this has changed")
PYTHON
