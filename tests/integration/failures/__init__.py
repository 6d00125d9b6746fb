"""Tests of bad input, damaged files, a full disk and query limits."""
