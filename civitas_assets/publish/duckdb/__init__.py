"""DuckDB as a destination: the files of tenants, and that of the commons.

Readers have the old file or the new one.
"""
