"""OGC SensorThings API: things, datastreams and observations.

Specification: OGC 18-088.
"""
