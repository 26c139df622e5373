"""How this node fares, for charts. It is no evidence: it never reaches the journal, and nothing waits for it."""
