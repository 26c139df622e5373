"""Reports: a derived result as JSON and as text."""
