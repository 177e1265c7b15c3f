#!/usr/bin/env bash
# Where pandas is not installed, each statement with parameters looks for it again: Python forgets failed imports. With
# eight parameters that costs several times what a small statement costs otherwise.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q "duckdb==1.5.5"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from collections import Counter

import duckdb


class Seen:
    def __init__(self):
        self.names = Counter()

    def find_spec(self, name, path=None, target=None):
        self.names[name.partition(".")[0]] += 1


print("duckdb", duckdb.__version__, "without pandas")
connection = duckdb.connect()
statement = "select " + ", ".join(["?::integer"] * 8)
connection.execute(statement, [*range(8)]).fetchall()
sys.meta_path.insert(0, seen := Seen())
for _ in range(10):
    connection.execute("select 1, 2, 3, 4, 5, 6, 7, 8").fetchall()
without = seen.names["pandas"]
for _ in range(10):
    connection.execute(statement, [*range(8)]).fetchall()
looked = seen.names["pandas"] - without
print("pandas was looked for", without, "times in ten statements without parameters,", looked, "times in ten with eight")
if looked <= without:
    raise SystemExit("it is not looked for each time any more: this has changed")
PYTHON
