"""Proposes a configuration from what runs on this machine: facts are read, recognised, tried and written down."""
