"""Checks MongoDB."""
