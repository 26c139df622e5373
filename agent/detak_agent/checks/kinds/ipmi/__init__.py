"""Checks baseboard controllers by IPMI."""
