"""Closing a period: what keeps it open, its seal, restatements, disputes. Seals are entries, and never a table."""
