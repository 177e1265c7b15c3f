"""Dagster's webserver as this project runs it: its own origin only, and a record of who changed what.

`python -m civitas_assets.webserver` takes what `dagster-webserver` takes.
"""
