"""Publishing: what was harmonised and tested reaches a tenant's destination in one step, or not at all.

What is published, and for which days, is decided before; here is only how.
"""
