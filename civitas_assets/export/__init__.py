"""Exporting: published tables as files and messages that others read, as a stream of any length.

What the tables hold is decided before; nothing here changes them.
"""
