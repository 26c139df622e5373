"""Checks files."""
