"""What is kept: received bytes, records with all revisions, rejected rows, and what is still to be published.

Everything goes through the small interface in `files.py`, which object storage fits as well as a folder.
"""
