"""Calendars as RFC 5545 has them.

Specification: https://www.rfc-editor.org/rfc/rfc5545.
"""
