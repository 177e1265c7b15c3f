"""Kinds of catalogues: where each is asked, and how its answers become datasets. Nothing here opens a connection."""
