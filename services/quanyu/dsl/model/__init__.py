"""Defines what a rule may name: the catalog, the published rules and their types."""
