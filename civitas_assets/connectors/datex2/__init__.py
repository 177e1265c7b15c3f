"""DATEX II: parking, situations and charging infrastructure.

Specification: https://datex2.eu.
"""
