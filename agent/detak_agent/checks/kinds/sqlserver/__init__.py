"""Checks SQL Server."""
