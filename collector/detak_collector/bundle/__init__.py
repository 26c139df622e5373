"""A bundle: everything from which figures can be derived without a database, as a directory or one tar archive.

It holds services.toml and facts.ndjson, and may hold exclusions.ndjson, declarations.ndjson, bundle.json and tables
of holidays. It is read whole or refused whole, with every problem told at once. It derives nothing.
"""

from detak_collector.bundle.reading import Bundle, read_bundle

__all__ = ["Bundle", "read_bundle"]
