"""Mails: what is in them, to whom they go, and how each is sent once. No figure is computed here."""
