"""Files in formats of anybody: CSV, spreadsheets, JSON, GeoJSON and files of features.

What they mean a tenant says, in its mapping.
"""
