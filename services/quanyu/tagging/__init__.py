"""Checks, publishes and evaluates rules, and keeps the members of segments up to date."""
