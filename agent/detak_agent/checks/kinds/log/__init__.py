"""Checks log files."""
