"""Checks a rule against a catalog and a library, and binds each name to a version and a type."""
