"""Checks systemd's units."""
