"""The manuals that are made from the programs themselves: man pages, docs/commands.md, shell completion."""
