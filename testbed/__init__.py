"""Servers, processes and towns that tests and benchmarks work with: typed, and knowing neither of them."""
