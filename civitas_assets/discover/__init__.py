"""Discovering sources: what national services and catalogues of open data have for a tenant, as proposals for its file.

How a body becomes a source is decided in `propose`; here is where bodies are found, and which of them are looked at.
"""
