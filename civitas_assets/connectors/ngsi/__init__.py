"""NGSI-LD and NGSI-v2: what context brokers say of entities, now and over time.

Specification: ETSI GS CIM 009.
"""
