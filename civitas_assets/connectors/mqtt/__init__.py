"""MQTT: messages in JSON of any topic, mapped as files in JSON are.

The queue that they come from is in `transport`.
"""
