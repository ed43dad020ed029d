"""Proofs that can be checked again without the search that found them."""
