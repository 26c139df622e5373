"""Bundles: everything from which figures can be derived without a database, as a directory or one tar archive.

A hand-written one (`reading.py`) states facts in absolute time. A packed one (`package.py`) is made from a store by
`writing.py`, holds exactly what the engine was given, and the chained records behind it. Whatever reads a packed one
uses the standard library alone, so that it runs in `detak-verify.pyz`. Each is read whole or refused whole.
"""
