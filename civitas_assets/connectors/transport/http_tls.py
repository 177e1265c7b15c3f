"""TLS as the HTTP client needs it: whom it trusts, and who it is to servers that ask for a certificate.

Where a certificate may be shown is decided in `prepared_request.py`.
"""

from __future__ import annotations

import ssl
from functools import cache

import httpx2

from civitas_assets.catalog.model import Source
from civitas_assets.errors import FetchError


@cache
def make_trust_context() -> ssl.SSLContext:
    """Whom TLS trusts; reading the certificates takes long enough to do it once for all clients of a process."""
    return httpx2.create_ssl_context()


def make_client_context(source: Source, file: str, password: str) -> ssl.SSLContext:
    """The same trust, and the source's certificate for the server that asks; `file` and `password` stay unsaid.

    Raises:
        FetchError: the file cannot be read, or holds no certificate with a key that the password opens.
    """
    context = httpx2.create_ssl_context()
    try:
        # Without any password the library would ask for one on the terminal.
        context.load_cert_chain(file, password=password)
    except (ssl.SSLError, ValueError):
        reason = "no PEM of both, or another password"
    except OSError as error:
        reason = error.strerror or type(error).__name__
    else:
        return context
    named = source.certificate.file.secret if source.certificate else "certificate:"
    raise FetchError(
        f"source {source.name} has no certificate to show: the file that {named} names gives none with its key "
        f"({reason}); put both into one PEM file that can be read here, and name the password of the key"
    )
