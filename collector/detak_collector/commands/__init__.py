"""The commands of `detak-collector`, one module for each group of them."""
