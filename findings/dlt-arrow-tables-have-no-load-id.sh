#!/usr/bin/env bash
# Rows that dlt loads from dictionaries name their load in _dlt_load_id, by which models downstream take what is new.
# Rows of an Arrow table have no such column unless it is asked for in the configuration.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q "dlt[duckdb]==1.31.0" "pyarrow==21.0.0"
cd "$folder"
RUNTIME__DLTHUB_TELEMETRY=false DLT_DATA_DIR="$folder/dlt" venv/bin/python - <<'PYTHON'
import dlt
import pyarrow as pa

print("dlt", dlt.__version__)
pipeline = dlt.pipeline("example", destination=dlt.destinations.duckdb("example.duckdb"), dataset_name="data")
pipeline.run([{"id": 1}], table_name="from_dictionaries")
pipeline.run(pa.table({"id": [1]}), table_name="from_arrow")
with pipeline.sql_client() as client:
    columns = {
        table: [row[0] for row in client.execute_sql(f"select column_name from (describe {table})")]
        for table in ("from_dictionaries", "from_arrow")
    }
for table, names in columns.items():
    print(f"{table}: {', '.join(names)}")
assert "_dlt_load_id" in columns["from_dictionaries"]
if "_dlt_load_id" in columns["from_arrow"]:
    raise SystemExit("it has one now: this has changed")
PYTHON
