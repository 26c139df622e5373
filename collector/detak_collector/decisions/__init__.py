"""Exclusions and declarations with four eyes on them: proposals and decisions in the log, and what comes of them."""
