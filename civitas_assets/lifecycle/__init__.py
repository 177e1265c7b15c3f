"""A tenant's life: it comes, rests, is handed over, and goes without leaving anything behind.

What is done for a tenant every night is not here.
"""
