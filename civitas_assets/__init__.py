"""Data-integration workspace for municipalities: sources in, harmonised tables per tenant out.

The layout mirrors the flow: catalog, connectors, store, ingest, harmonise, publish, and defs for Dagster.
"""

__version__ = "0.1.0"
