"""Checks web servers."""
