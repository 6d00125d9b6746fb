"""Publishes rules, decides proposals and rolls back versions."""
