"""Checks TLS and its certificates."""
