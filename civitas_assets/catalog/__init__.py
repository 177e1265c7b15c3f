"""What is configured: tenants and their sources, as frozen models read from YAML.

Nothing here fetches, reads data, or knows a protocol; connectors bring their own source models.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from civitas_assets.catalog.load import Catalog, load_catalog
    from civitas_assets.catalog.model import Box, HttpPolicy, SecretRef, Source, Tenant, TimeRule
    from civitas_assets.catalog.window import Window

__all__ = [
    "Box",
    "Catalog",
    "HttpPolicy",
    "SecretRef",
    "Source",
    "Tenant",
    "TimeRule",
    "Window",
    "load_catalog",
]

_PLACES = {"Catalog": "load", "load_catalog": "load", "Window": "window"}  # all others are models


def __getattr__(name: str) -> Any:
    # Making the models takes time, and a query of published tables needs none of them.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES.get(name, 'model')}"), name)
