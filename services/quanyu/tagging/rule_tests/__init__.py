"""Runs the `test` blocks of a text, each in a world of its own."""
