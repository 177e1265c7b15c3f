"""The folder of open data: the files of a tenant's open tables, described by a catalogue and a data package.

Which tables are open is decided in `dcat`, which rows go out in `export`; where files are kept in `store`.
"""
