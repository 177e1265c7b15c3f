"""OGC API Features and the Web Feature Service: features of one collection.

What a feature is, `vector` says.
"""
