"""Values (A, G, N1): their types, bare words and aggregates."""

import pytest

from tests.unit.dsl.binding.checks import check_binding, check_rejection

# point of the reference, rule, column, reason, suggestions
REJECTED = [
    ("N1 ambiguous", "tier = points", 8, "name", ["'points'", "`points`"]),
    ("N1 neither", "channel in [pos, minapp]", 18, "name", ["'miniapp'", "'minapp'"]),
    ("N1 free text", "city = Beijing", 8, "name", ["'Beijing'"]),
    ("N1 text test", "city contains bei", 15, "type", ["'bei'"]),
    ("N1 unknown name", "citty = 'x'", 1, "name", ["city"]),
    ("A4 needs a property", "sum(order) > 5", 1, "type", ["sum(order.amount)", "sum(order.quantity)"]),
    ("A9 text", "sum(order.note) > 5", 1, "type", ["sum(order.amount)", "sum(order.quantity)"]),
    ("A9 bool", "max(order.paid) = true", 1, "type", ["max(order.amount)", "max(order.due)", "max(order.quantity)"]),
    ("A9 currencies", "sum(order.amount) + sum(sale_us.amount) > 5", 1, "type", []),
    ("A9 currencies compared", "sum(order.amount) > sum(sale_us.amount)", 1, "type", []),
    ("A10 not of all events", "sum(touch.amount) > 5", 11, "name", []),
    ("A10 in where", "did touch where (amount > 5)", 18, "name", []),
    ("A10 differs", "min(mixed.amount) > 5", 5, "type", []),
    ("A7 digits", "points > 0.1234567", 10, "value", []),
    ("A7 size", "points > 9000000000001", 10, "value", []),
    ("G3 one type", "(last_order default 5) > 3d", 21, "type", []),
    ("R9", "last_order in top 10%", 1, "type", ["latest(order) in top 10%", "latest(order) in bottom 10%"]),
    ("R9 tile", "quintile(last_order) = 5", 10, "type", ["latest(order)"]),
    ("R9 text", "city in top 10%", 1, "type", []),
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
    ("N1 value", "channel in [pos, miniapp]", "channel in ['pos', 'miniapp']"),
    ("N1 tag", "frequency = heavy", "frequency@1 = 'heavy'"),
    ("N1 name", "points > balance_free default 3", None),
    ("N1 backquotes", "tier = `tier`", "tier = `tier`"),
    ("N1 NFKC", "tier = ａ", "tier = 'a'"),
    ("G3", "(last_touch default 90d) > 30d", "(last_touch@2 default 90d) > 30d"),
    ("G13", "points > 150%", "points > 150%"),
    ("A4", "latest(order) < 2026-01-01", "latest(order) < 2026-01-01"),
    ("A4 counted", "count(order.note) > 1", "count(order.note) > 1"),
    ("A9 dates", "max(order.due) > 2026-01-01", "max(order.due) > 2026-01-01"),
    ("A9 ratio", "sum(refund.amount) / sum(order.amount) > 50%", "sum(refund.amount) / sum(order.amount) > 50%"),
    ("A9 money a head", "sum(order.amount) / count(order) > 60", "sum(order.amount) / count(order) > 60"),
    ("R9 offered", "latest(order) in top 10% of buyers", "latest(order) in top 10% of buyers@1"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "bound"), [row[1:] for row in BOUND], ids=[row[0] for row in BOUND])
def test_binds_and_keeps_the_bound_text(rule: str, bound: str | None) -> None:
    check_binding(rule, bound)
