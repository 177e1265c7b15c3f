"""Collections that come in pages: where the next one is, and whether all has come.

No protocol is known here.
"""
