"""Announcing open data: what tenants publish openly, as a catalogue by DCAT-AP.de that portals harvest.

Nothing here gives data away; it says which there are, on which terms, and where they can be fetched.
"""
