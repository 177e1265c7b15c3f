#!/usr/bin/env bash
# OpenSSH offers neither 3DES nor CBC nor MD5 to servers any more. A client of paramiko, also of its newest major version, does; who does
# not want that takes them away by disabled_algorithms.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q "paramiko==5.1.0"
"$folder/venv/bin/python" - <<'PYTHON'
import socket

import paramiko

print("paramiko", paramiko.__version__)
ours, theirs = socket.socketpair()
options = paramiko.Transport(ours).get_security_options()
weak = [name for name in (*options.ciphers, *options.digests) if "cbc" in name or "md5" in name or "sha1" in name]
print("offered without being asked:", ", ".join(weak))
assert {"3des-cbc", "hmac-md5"} <= set(weak), "this has changed"
less = {"ciphers": [n for n in weak if "cbc" in n], "macs": [n for n in weak if "hmac" in n]}
options = paramiko.Transport(theirs, disabled_algorithms=less)
kept = [*options.preferred_ciphers, *options.preferred_macs]
print("offered with disabled_algorithms:", ", ".join(kept))
assert not set(weak) & set(kept)
PYTHON
