"""Pages on which people do their work: forms that enter something, each with what decides it elsewhere."""
