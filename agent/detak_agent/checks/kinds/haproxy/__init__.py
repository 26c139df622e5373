"""Checks HAProxy."""
