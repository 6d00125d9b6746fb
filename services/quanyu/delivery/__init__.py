"""Delivers a campaign to exactly the people of its audience, once, and records the outcome for each of them."""
