"""`python -m civitas_assets.webserver`: `dagster-webserver` with what this package puts in front of it."""

from civitas_assets.webserver.serve import run_webserver

run_webserver()
