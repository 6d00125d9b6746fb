"""Quanyu: omni-channel customer data, rules and delivery."""

import os

# Read when the core is loaded: for so many milliseconds its allocator keeps what an answer gave back, for the next one.
os.environ.setdefault("MIMALLOC_PURGE_DELAY", "60000")
