"""Connectors: one package per protocol, which share how bytes arrive, are decoded and become rows.

Tenants, stores and databases are unknown here.
"""
