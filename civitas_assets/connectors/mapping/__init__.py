"""From what an answer says to rows and fields: paths, attributes, records in records, and what nobody maps.

No protocol is known here.
"""
