"""What is said of the place under the cursor."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.cli.rule.language_server.hover import hover
from quanyu.dsl import Library, check_and_bind
from quanyu.tagging.evaluation.context import EvaluationContext
from tests.unit.dsl.world import CATALOG, CLOCK

TOUCH = "define touch = order or scan"
PUBLISHED = Library().publish(check_and_bind(TOUCH, CATALOG, Library()))
EVALUATION = EvaluationContext(CATALOG, PUBLISHED, CLOCK)


def lines_at(text: str, word: str) -> list[str]:
    found = hover(text, text.index(word), EVALUATION)
    assert found is not None
    assert found.start <= text.index(word) < found.end
    return found.lines


@pytest.mark.parametrize(
    ("text", "word", "says"),
    [
        ("level >= silver", "level", "`level`: attribute of people, enum: bronze < silver < gold"),
        ("城市 = '上海'", "城市", "`city`: attribute of people, text"),
        ("did 下单 ever", "下单", "`order`: event with amount, quantity, note, city, paid, due, product_id, store_id"),
        ("did touch ever", "touch", "`define touch@1 = order or scan`"),
        ("did order where (amount > 3)", "amount", "`order.amount`: property, money (CNY)"),
        ("churn_risk >= 0.5", "churn_risk", "`churn_risk@4`: attribute of people, number"),
    ],
)
def test_a_name_is_what_is_declared_or_published(text: str, word: str, says: str) -> None:
    assert says in lines_at(text, word)


def test_a_clause_is_explained_with_the_rules_of_its_own_text() -> None:
    text = "segment s: level = gold and did visit in last 30d\ndefine visit = order or scan"
    (sentence,) = lines_at(text, "in last 30d")
    assert "visit@1 is order or scan" in sentence
    assert "from 2026-10-23 17:30 to 2026-11-22 17:30" in sentence
    assert "level" not in sentence


def test_a_clause_is_explained_in_the_language_of_its_keywords() -> None:
    assert any("720 小时" in line for line in lines_at("做过 touch 在 最近 30d", "在"))
    assert any("720 hours" in line for line in lines_at("did touch in last 30d and city = '且'", "in last"))


def test_a_tier_is_explained() -> None:
    text = "tag t: 'a' when level = gold; 'b' when did order in last 7d; else 'c'"
    assert any("exactly 168 hours" in line for line in lines_at(text, "in last 7d"))


def test_names_are_said_in_a_text_with_errors() -> None:
    assert lines_at("level >= and did", "level") == ["`level`: attribute of people, enum: bronze < silver < gold"]
    assert hover("level >= and did", 6, EVALUATION) is None
    assert hover("nothing", 2, EVALUATION) is None
    assert hover("", 0, EVALUATION) is None


def test_of_very_many_values_some_are_shown() -> None:
    many = replace(CATALOG.attributes["level"], values=tuple(f"v{n}" for n in range(25)), ordered=False)
    evaluation = replace(EVALUATION, catalog=replace(CATALOG, attributes={"level": many}))
    found = hover("level = v1", 0, evaluation)
    assert found is not None
    assert found.lines[0].endswith("v18, v19 and 5 more")


@given(st.integers(0, 200))
def test_every_place_of_a_text_can_be_asked(offset: int) -> None:
    metric = "metric net = sum(order.amount)  # 备注\n"
    text = f"define touch@2 = order\n{metric}segment 活跃: did touch or (net > 3 and city = '')"
    found = hover(text, offset, EVALUATION)
    assert found is None or found.start <= offset < found.end
