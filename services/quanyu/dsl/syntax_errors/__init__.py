"""Explains a text that does not parse, and offers corrections."""
