"""Checks MySQL and MariaDB."""
