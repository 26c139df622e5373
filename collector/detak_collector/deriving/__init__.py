"""Boards derived in a process of their own, so that receiving evidence does not notice it."""
