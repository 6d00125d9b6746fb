"""Turns windows of time into instants."""
