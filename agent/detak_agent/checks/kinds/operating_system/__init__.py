"""Checks the machine itself."""
