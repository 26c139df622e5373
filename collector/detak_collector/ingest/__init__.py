"""What arrives becomes facts: authenticated, checked against every limit, merged."""
