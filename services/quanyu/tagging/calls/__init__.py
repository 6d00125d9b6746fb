"""Answers the calls of the tagging service."""
