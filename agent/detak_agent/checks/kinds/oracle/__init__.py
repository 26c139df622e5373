"""Checks Oracle Database."""
