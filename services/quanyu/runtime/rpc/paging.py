"""Page sizes and page tokens, the same for every list."""

from __future__ import annotations

from typing import NoReturn

from quanyu.runtime.errors import InvalidInput

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000
# Tokens hold offsets, versions, people and milliseconds; all of them fit a SQL integer.
LARGEST_NUMBER = 2**63 - 1


def page_limit(requested: int) -> int:
    """Returns the number of items of a page: the requested number, at most 1,000; 0 means 100."""
    return min(requested or DEFAULT_PAGE, LARGEST_PAGE)


def parse_page_token(token: str, count: int) -> tuple[int, ...]:
    """Returns the `count` numbers of a token such as `7:12`, and zeros for the empty token of the first page.

    Raises InvalidInput for any other text.
    """
    if not token:
        return (0,) * count
    parts = token.split(":")
    if len(parts) != count or not all(part.isascii() and part.isdigit() and len(part) <= 20 for part in parts):
        refuse_token(token)
    numbers = tuple(int(part) for part in parts)
    if max(numbers) > LARGEST_NUMBER:
        refuse_token(token)
    return numbers


def refuse_token(token: str) -> NoReturn:
    """Raises InvalidInput for a token that the list did not return."""
    raise InvalidInput(
        f"page_token {token[:99]!r} is not of this list; pass the next_page_token of the page before, unchanged",
        reason="INVALID_PAGE_TOKEN",
        field="page_token",
    )
