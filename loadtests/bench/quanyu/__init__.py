"""Quanyu as a measured system: loads data through its services and answers in the process of the caller."""
