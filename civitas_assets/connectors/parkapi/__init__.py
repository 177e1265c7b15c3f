"""Parking sites and their occupancy, by the converters of the package parkapi-sources.

Nothing is imported here: each connector is when the registry is asked for it.
"""
