"""Checks a Nagios-compatible plug-in."""
