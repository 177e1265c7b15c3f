"""The Dagster layer: what is an asset, a check, a partition, a schedule; all work is done by the packages below.

Assets are made per connector, record type and shared model, never per tenant or source.
"""
