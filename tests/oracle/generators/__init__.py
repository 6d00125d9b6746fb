"""Generators of random worlds and of random conditions about them."""
