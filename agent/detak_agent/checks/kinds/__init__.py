"""One module or folder a kind. Each has its settings and its KIND in `kind`, light to import; `client` measures."""
