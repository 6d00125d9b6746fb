"""Common mistakes: each error has a place, a message, and suggestions that make a valid rule."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from quanyu.dsl import Library, RuleError, check_and_bind
from tests.unit.dsl.catering import catalog

CATALOG = catalog()
RULES = """
define touch = order or scan or pickup
define touch@2 = order or scan
segment buyers: did order ever
metric net_spend@3 = sum(order.amount in last 90d)
segment vip@3 among buyers: net_spend > 1000
tag frequency: 'heavy' when days(order in last 30d) >= 8; else 'light'
"""
LIBRARY = Library().publish(check_and_bind(RULES, CATALOG, Library()))
MISTAKES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("mistakes.yaml").read_text(encoding="utf-8"))


def test_there_are_at_least_sixty_different_mistakes() -> None:
    texts = [mistake["write"] for mistake in MISTAKES]
    assert len(texts) == len(set(texts)) >= 60


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake["write"] for mistake in MISTAKES])
def test_the_error_names_the_column_and_every_suggestion_is_valid(mistake: dict[str, Any]) -> None:
    with pytest.raises(RuleError) as caught:
        check_and_bind(mistake["write"], CATALOG, LIBRARY)
    error, offers = caught.value, mistake.get("offers", {})
    assert (error.line, error.column) == (1, mistake["column"]), str(error)
    assert mistake["says"] in error.message
    assert list(error.suggestions) == list(offers)
    for offer, right in offers.items():
        assert is_replaced_at(mistake["write"], error.column, offer, right), (offer, right)
        check_and_bind(right, CATALOG, LIBRARY)


@pytest.mark.parametrize(("before", "line", "columns"), [("segment zz:\n  ", 2, 2), ("city = '上海' and ", 1, 16)])
def test_the_error_is_the_same_in_a_longer_text(before: str, line: int, columns: int) -> None:
    for mistake in MISTAKES:
        text = mistake["write"]
        if mistake.get("alone") or text.startswith(("segment", "metric", "define", "tag")):
            continue
        with pytest.raises(RuleError) as caught:
            check_and_bind(before + text, CATALOG, LIBRARY)
        error = caught.value
        assert (error.line, error.column) == (line, mistake["column"] + columns), str(error)
        assert list(error.suggestions) == list(mistake.get("offers", {})), str(error)


def is_replaced_at(wrong: str, column: int, offer: str, right: str) -> bool:
    """Tells whether `right` is `wrong` with the offer instead of a part that contains the column."""
    starts = range(min(column, len(wrong)) + 1)
    return any(
        right.startswith(wrong[:start] + offer) and wrong[column - 1 :].endswith(right[start + len(offer) :])
        for start in starts
        if right[:start] == wrong[:start]
    )
