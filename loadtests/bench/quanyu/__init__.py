"""Quanyu as one of the systems that are asked: loaded through its services, answering in the process that asks."""
