"""A tenant's key: for pseudonyms, for marks of what was erased, and for answers that are kept encrypted.

It is made where it is first needed, and readable by the account of the deployment alone; or an environment variable
holds it, and only its name is written here. Each purpose has a key derived from it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from civitas_assets.errors import StoreError
from civitas_assets.settings import read_secret
from civitas_assets.store.files import Files
from civitas_assets.store.layout import tenant_folder_key

_NAMED = b"secret:"
_BYTES = 32


def tenant_key(files: Files, tenant: str, purpose: str) -> bytes:
    """32 bytes for a purpose of the tenant; the same at any time, as long as its key is.

    Raises:
        SecretMissing: an environment variable is to hold the key, and there is none.
        StoreError: the key is damaged.
    """
    held = files.read(_place(tenant))
    if held is None:
        files.write_once(_place(tenant), secrets.token_hex(_BYTES).encode())
        held = files.read(_place(tenant)) or b""
    if held.startswith(_NAMED):
        master = hashlib.sha256(read_secret(held.removeprefix(_NAMED).decode()).encode()).digest()
    else:
        try:
            master = bytes.fromhex(held.decode())
        except ValueError:
            master = b""
        if len(master) != _BYTES:
            raise StoreError(f"{_place(tenant)} is no key of {_BYTES} bytes: bring it back from a copy")
    return hmac.digest(master, purpose.encode(), "sha256")


def name_key_variable(files: Files, tenant: str, secret: str) -> None:
    """Have an environment variable hold the tenant's key from now on.

    Raises:
        StoreError: there is another key already, by which pseudonyms and encrypted answers were made.
    """
    named = _NAMED + secret.encode()
    if files.write_once(_place(tenant), named) or files.read(_place(tenant)) == named:
        return
    raise StoreError(
        f"{tenant} has a key in {_place(tenant)} already, and its file names {secret}: with another key, pseudonyms go "
        "on as others and encrypted answers cannot be read; take `key` out of the file, or remove that key if nothing "
        "needs it"
    )


def _place(tenant: str) -> str:
    return f"{tenant_folder_key('keys', tenant)}/key"
