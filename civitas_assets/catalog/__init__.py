"""What is configured: tenants and their sources, as frozen models read from YAML.

Nothing here fetches, reads data, or knows a protocol; connectors bring their own source models.
"""

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
