"""What people would use instead, each set up for the laboratory's targets as its own documentation advises."""
