"""Data-integration workspace for municipalities: sources in, harmonised tables per tenant out.

The layout mirrors the flow: catalog, connectors, store, ingest, harmonise, publish, and defs for Dagster.
"""

import gc

__version__ = "0.1.0"

# A run is a process of seconds that imports some thousand modules, which makes a million objects and no garbage.
# Python would look for it after each 700 new ones, for half a second in all.
gc.set_threshold(100_000, 20, 100)
