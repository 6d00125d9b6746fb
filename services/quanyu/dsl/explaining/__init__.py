"""Describes rules and their differences in words."""
