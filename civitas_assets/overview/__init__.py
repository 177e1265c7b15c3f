"""What an operator sees at one glance: each tenant's sources, how fresh they are and what is to be done.

It is worked out from small files that runs leave behind; nothing is fetched, read or changed.
"""
