"""Checks what name servers answer."""
