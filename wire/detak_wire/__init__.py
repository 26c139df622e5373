"""The messages between agent and collector: types, limits and codec. It does no input or output."""

PROTOCOL_VERSION = 1
