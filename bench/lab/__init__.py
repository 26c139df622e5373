"""The fault laboratory: real programs on hosts that can be broken, and what is known to be true of them."""
