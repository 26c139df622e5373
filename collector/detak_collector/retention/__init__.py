"""How long evidence is kept, and how it is disposed of so that the ledger goes on to hold."""
