"""What a body is made of: archives, encodings, JSON and XML as publishers send them, and how large it may become.

What is in it means nothing here yet.
"""
