"""Formats a syntax tree as canonical text, in English or Chinese."""
