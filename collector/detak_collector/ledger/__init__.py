"""The ledger: what is recorded, chained so that yesterday's head proves that yesterday's evidence is unaltered. Pure.

No input, no output, no clock: the store brings the lines and keeps the blocks.
"""
