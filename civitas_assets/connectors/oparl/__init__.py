"""OParl: what councils publish of their meetings and papers.

Persons, and what is only about them, never land.
"""
