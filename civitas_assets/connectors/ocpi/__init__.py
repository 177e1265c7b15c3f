"""OCPI 2.1.1, 2.2.1 and 2.3.0: locations of an operator of charging points, and whether a vehicle could be charged.

Nothing here knows another protocol.
"""
