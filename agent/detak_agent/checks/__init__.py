"""What checks are and how they are run: the seam, what kinds share, the registry, and the kinds themselves."""
