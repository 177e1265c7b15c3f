"""From records to shared models: a throw-away workspace per run, and dbt working in it.

Publishing what dbt made is in `publish`.
"""
