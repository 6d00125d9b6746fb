"""Stores published rules, proposals and drafts in the database."""
