"""Public services whose address, licence and meaning are known: one module each, and what they share.

A tenant names stations, or nothing.
"""
