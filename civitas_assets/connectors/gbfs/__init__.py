"""GBFS: stations and vehicles of sharing systems.

Specification: https://gbfs.org.
"""
