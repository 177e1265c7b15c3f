"""Features with a geometry, whatever file or service they come from: GDAL, GeoJSON, KML and Parquet.

Where they are fetched is for the connectors.
"""
