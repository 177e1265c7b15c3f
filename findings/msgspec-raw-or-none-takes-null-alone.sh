#!/usr/bin/env bash
# A member of type Raw takes any JSON. One of type Raw | None, which says that it may be missing, takes nothing but null: a
# server that fills it makes the whole answer unreadable. A default of Raw(b"null") does what the union seems to say.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q "msgspec==0.22.0"
"$folder/venv/bin/python" - <<'PYTHON'
import msgspec


class Union(msgspec.Struct):
    errors: msgspec.Raw | None = None


class Default(msgspec.Struct):
    errors: msgspec.Raw = msgspec.Raw(b"null")


print("msgspec", msgspec.__version__)
body = b'{"errors":{"filter":"unknown"}}'
said = msgspec.json.decode(body, type=Default)
print("Raw with a default:", bytes(said.errors))
assert bytes(said.errors) == b'{"filter":"unknown"}'
assert msgspec.json.decode(b'{"errors":null}', type=Union).errors is None
try:
    print("Raw | None:", msgspec.json.decode(body, type=Union))
except msgspec.ValidationError as error:
    print("Raw | None:", type(error).__name__, "-", error)
else:
    raise SystemExit("it takes any JSON now: this has changed")
PYTHON
