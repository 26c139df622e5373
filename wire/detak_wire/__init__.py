"""The messages between agent and collector: types, limits and codec. It does no input or output."""

PROTOCOL_VERSION = 1
INSTANCE_HEADER = "Detak-Instance"
"""In answers: which copy of its store a collector serves from. An agent sends back what it was told last."""
