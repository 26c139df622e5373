"""The collector: receives evidence, derives downtime from it, shows and reports the figure."""
