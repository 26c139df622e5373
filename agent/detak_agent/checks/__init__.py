"""The kinds of checks: one file a kind beside what it reads with, and the registry that lists them."""
