#!/usr/bin/env bash
# A check's result that is sent to another process by pickle arrives as an error: its fields are pickled by position, and
# its constructor takes them by name only. What is materialised (MaterializeResult) arrives.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q "dagster==1.13.27"
"$folder/venv/bin/python" - <<'PYTHON'
import pickle

import dagster as dg

print("dagster", dg.__version__)
made = dg.MaterializeResult(asset_key=dg.AssetKey("table"), metadata={"rows": 3})
assert pickle.loads(pickle.dumps(made)) == made
print("MaterializeResult: the same after pickling")
checked = dg.AssetCheckResult(passed=True, asset_key=dg.AssetKey("table"), check_name="is_there")
body = pickle.dumps(checked)
try:
    pickle.loads(body)
except TypeError as error:
    print("AssetCheckResult: pickled without a word, and then", type(error).__name__, "-", error)
else:
    raise SystemExit("it can be read again: this has changed")
PYTHON
