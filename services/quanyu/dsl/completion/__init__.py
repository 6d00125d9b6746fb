"""Suggests completions at a cursor: keywords, names and values."""
