"""Provides the context of an evaluation: catalog, published rules, clock and index version."""
