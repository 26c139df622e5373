"""Checks Redis."""
