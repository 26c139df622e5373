"""The ways in which the laboratory can be broken, one module a subject; `registry` has them all."""
