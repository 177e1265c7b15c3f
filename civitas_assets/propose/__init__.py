"""Proposing: what a file that nobody has configured yet seems to be, as a source that a tenant's file can hold.

Nothing is believed that was not tried: a proposal has read the sample before it is shown.
"""
