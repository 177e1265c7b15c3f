"""A browser of a tenant's published tables on this machine: dictionary, rows, map, series and downloads.

The pages are of marimo, which is an extra; what they show is drawn as the morning page draws it, without any request.
"""
