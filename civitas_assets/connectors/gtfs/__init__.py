"""GTFS, the General Transit Feed Specification: timetables of public transport.

What all protocols share is beside this package, never in it.
"""
