"""Counts and samples the people of a draft, and compares it with the published version."""
