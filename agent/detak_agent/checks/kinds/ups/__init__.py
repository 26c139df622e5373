"""Checks UPSs by Network UPS Tools."""
