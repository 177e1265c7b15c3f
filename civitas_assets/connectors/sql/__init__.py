"""Databases that are read: PostgreSQL, and others by SQLAlchemy.

Nothing is ever written to one.
"""
