"""Checks processes."""
