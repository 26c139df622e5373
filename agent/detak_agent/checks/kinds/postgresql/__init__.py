"""Checks PostgreSQL."""
