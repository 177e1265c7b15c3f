"""GTFS-Realtime: how late trips are at stops, and what passengers are told, in one connector.

Timetables, which these messages are about, are in `gtfs`.
"""
