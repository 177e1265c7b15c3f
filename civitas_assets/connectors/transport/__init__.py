"""How requests leave and answers arrive: the one HTTP client, and queues of MQTT.

What the bodies say is for others.
"""
