"""Quanyu: omni-channel customer data, rules and delivery."""
