"""Two collectors without a shared database: each pulls from the other what agents cannot bring, and one leads."""
