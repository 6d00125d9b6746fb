"""Runs the `test` blocks of a text, each in a workspace of its own in memory."""
