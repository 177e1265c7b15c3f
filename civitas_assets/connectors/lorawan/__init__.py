"""LoRaWAN: what network servers say of uplinks, and what is in their payloads.

The queue that they come from is in `transport`.
"""
