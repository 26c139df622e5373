"""Outages of before Detak watched, out of what another program wrote down. They become declarations, never evidence."""
