"""Page tokens of lists of rules: `version:name` of the last rule on the page."""

from __future__ import annotations

from quanyu.runtime.rpc.paging import parse_page_token, refuse_token


def rule_page_token(name: str, version: int) -> str:
    return f"{version}:{name}"


def parse_rule_page_token(token: str) -> tuple[str, int]:
    """Returns name and version of the last rule on the page before; ("", 0) for an empty token."""
    number, _, name = token.partition(":")
    (version,) = parse_page_token(number, 1)
    if bool(token) != bool(name):
        refuse_token(token)
    return name, version
