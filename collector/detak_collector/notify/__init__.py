"""Tells people of outages as they happen, and of lost observation: decided purely, kept in the store, then sent."""
