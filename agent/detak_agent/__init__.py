"""The agent: runs checks, writes what it saw into a durable journal, ships it to every collector."""

VERSION = "0.1.0"
