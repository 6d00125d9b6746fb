"""Compiles a bound rule into a plan for the engine."""
