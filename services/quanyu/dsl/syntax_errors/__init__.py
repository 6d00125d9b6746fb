"""Explains why a text does not parse, and suggests corrections."""
