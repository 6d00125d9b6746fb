"""Tests of the layout of the repository."""
