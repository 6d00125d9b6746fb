"""Publishes, versions, compares and rolls back rules."""
