"""The catalogue and its corrections, read from files: services.toml, exclusions.ndjson, declarations.ndjson.

Everything is checked before anything is used, every problem is told at once, and nothing is ever ignored. What was
read is of the types in `detak_collector.downtime.catalogue`. It decides no figure.
"""

from detak_collector.catalogue.corrections import Entered, parse_declarations, parse_exclusions
from detak_collector.catalogue.organisation import load, parse
from detak_collector.catalogue.place import CatalogueError

__all__ = ["CatalogueError", "Entered", "load", "parse", "parse_declarations", "parse_exclusions"]
