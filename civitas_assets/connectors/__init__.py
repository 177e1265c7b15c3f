"""Connectors: one module per protocol, and one HTTP client for all of them.

Tenants, stores and databases are unknown here.
"""
