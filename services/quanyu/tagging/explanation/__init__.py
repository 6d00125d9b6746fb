"""Explains why a person is in a segment or not, and when that changes next."""
