"""Completions at a bar in a text."""

from quanyu.dsl.completion.completer import Completions, complete
from tests.unit.dsl.world import CATALOG, LIBRARY

ALL = 100_000


def at_bar(marked: str, limit: int = ALL) -> Completions:
    """Completes a text with a bar at the cursor."""
    before, _, after = marked.partition("|")
    return complete(before + after, len(before), CATALOG, LIBRARY, limit)


def labels(marked: str) -> list[str]:
    return [item.label for item in at_bar(marked).items]


def texts(marked: str) -> list[str]:
    return [item.text for item in at_bar(marked).items]


def first(marked: str, count: int) -> list[str]:
    return labels(marked)[:count]
