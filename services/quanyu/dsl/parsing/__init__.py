"""Parses text into a syntax tree."""
