"""PostgreSQL as a destination: the schemas of tenants, and the views of the commons over them.

Readers see the old state or the new one.
"""
