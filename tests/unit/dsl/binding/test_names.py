"""Names (N): the meaning of each, and the suggestions for names without a meaning."""

import pytest

from tests.unit.dsl.binding.checks import check_binding, check_rejection

# point of the reference, rule, column, reason, suggestions
REJECTED = [
    ("N2 event version", "last_order@2 > 30d", 1, "version", ["order"]),
    ("N3 both", "did order where (city = 'x')", 18, "name", ["order.city", "person.city"]),
    ("N4 property outside where", "order.amount > 5", 1, "scope", ["did order where (amount > 5)"]),
    ("N5 another event", "did order where (scan.code = 'x')", 18, "name", []),
    ("N8 no reference", "did order where (note.city = 'x')", 23, "name", []),
    ("N8 unknown attribute", "did order where (store.citi = 'x')", 24, "name", ["city"]),
    ("N10 map key", "survey.a.b = 1", 10, "name", []),
    ("N11 no such score", "churn_risk@9 > 0.5", 1, "version", ["churn_risk@4"]),
    ("N12 segment as value", "vip > 3", 1, "name", ["in segment vip"]),
    ("N12 event as value", "order > 3", 1, "name", ["count(order)"]),
    ("N12 value as event", "did city ever", 5, "name", ["coffee", "imported", "mixed"]),
    ("N12 unknown event", "did ordr ever", 5, "name", ["order"]),
    ("N12 unknown segment", "in segment vipp", 12, "name", ["vip"]),
    ("N12 metric as segment", "in segment net_spend", 12, "name", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "column", "reason", "suggestions"), [row[1:] for row in REJECTED], ids=[row[0] for row in REJECTED]
)
def test_rejects_with_position_reason_and_suggestions(
    rule: str, column: int, reason: str, suggestions: list[str]
) -> None:
    check_rejection(rule, column, reason, suggestions)


# point of the reference, rule, the bound rule or None if it is rejected
BOUND = [
    ("N2 recency of a definition", "last_touch@1 > 30d", "last_touch@1 > 30d"),
    ("V4 newest", "first_touch < 30d", "first_touch@2 < 30d"),
    ("N3 property", "did order where (amount > 5)", "did order where (amount > 5) ever"),
    ("N3 person", "did order where (person.city = 'x')", "did order where (person.city = 'x') ever"),
    ("N3 of the person only", "did order where (points > 5)", "did order where (points > 5) ever"),
    ("N5 own name", "did order where (order.city = 'x')", "did order where (order.city = 'x') ever"),
    ("N6 channel of the event", "did order where (channel = pos)", "did order where (channel = 'pos') ever"),
    ("N8 key", "distinct(order.store) > 1", "distinct(order.store) > 1"),
    ("N8 attribute", "did touch where (store.city = 'x')", "did touch@2 where (store.city = 'x') ever"),
    ("N8 enum of goods", "did order where (product.category = tea)", "did order where (product.category = 'tea') ever"),
    ("N10", "survey['price sensitivity'] >= 4", "survey['price sensitivity'] >= 4"),
    ("N10 list", "survey.a in [1, 2]", "survey.a in [1, 2]"),
    ("N10 default", "(survey.a default survey.b) > 3", "(survey.a default survey.b) > 3"),
    ("N11", "churn_risk > 0.5", "churn_risk@4 > 0.5"),
    ("N13", "first_seen > 30d", "first_seen > 30d"),
    ("aliases", "城市 = 'x' 且 做过 下单 其中 (金额 > 5)", "city = 'x' and did order where (amount > 5) ever"),
    ("alias of goods", "did order where (product.品类 = tea) ever", "did order where (product.category = 'tea') ever"),
    ("alias of places", "did touch where (门店.city = 'x') ever", "did touch@2 where (store.city = 'x') ever"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "bound"), [row[1:] for row in BOUND], ids=[row[0] for row in BOUND])
def test_binds_and_keeps_the_bound_text(rule: str, bound: str | None) -> None:
    check_binding(rule, bound)
