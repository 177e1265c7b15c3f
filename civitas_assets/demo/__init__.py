"""A first run without any network: three fictional towns, and servers on loopback that publish for them.

All data is synthetic, made by the generator in this package.
"""
