"""Checks ICMP echo."""
