"""Copies of a store: backups, moves, and which copy may serve."""
