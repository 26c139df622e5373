"""Where facts are kept. The seams are in `base`; each store fulfils the same contract tests."""
