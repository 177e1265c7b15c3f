"""From sources to the record store: fetching into landing, and reading landed payloads into records.

Each source is isolated from the others: its fault is recorded, and they go on.
"""
