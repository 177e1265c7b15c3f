"""Sinks: servers of others that are kept up to date with what a tenant has published, by what has changed.

Which rows may be given is asked of the rules of exports. A sink believes what it reads back, not what a server answers.
"""
