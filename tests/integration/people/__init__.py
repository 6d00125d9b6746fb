"""Tests of decisions about people: erasure and splits."""
