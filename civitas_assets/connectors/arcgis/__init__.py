"""Feature services of ArcGIS: layers and tables with attributes and geometries.

Specification: https://developers.arcgis.com/rest/services-reference/enterprise/query-feature-service-layer.
"""
