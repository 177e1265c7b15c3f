"""Messages to people: what has gone wrong for a tenant in a night, said once, and brought where it is read.

Which runs and checks are worth a message is decided in the Dagster layer.
"""
