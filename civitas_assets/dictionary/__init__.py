"""The dictionary of the shared models: their contracts as pages, as JSON Schema, and compared with the last release.

Everything in it follows from the dbt project; what a model holds is decided there.
"""
