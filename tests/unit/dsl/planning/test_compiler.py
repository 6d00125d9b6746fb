"""Plans of whole rules, in the shape of docs/plan.md."""

import json
from typing import Any

import pytest

from quanyu.dsl import Library, RuleError, build_plan, compile_condition, compile_segment, compile_tag
from quanyu.dsl.planning.serializer import to_json
from tests.unit.dsl.binding import test_conditions, test_expressions, test_names
from tests.unit.dsl.planning.compiled import DAY, compiled, cond, local, steps, text
from tests.unit.dsl.planning.plan_shape import check_plan
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, NOW, bind

BOUND = [row for module in (test_names, test_expressions, test_conditions) for row in module.BOUND]
ALL_KINDS = [row[1] for row in BOUND if row[2]] + [
    "did order at most 2 times in last 3 calendar weeks and did not scan today",
    "anniversary of born in next month or anniversary of birthday not tomorrow",
    "home within 3km of (31.2, 121.4) or home within 5m of home",
    "net_spend in bottom 10 of vip and decile(net_spend among buyers) >= 9",
    "did order where (points > 3 and last_touch > 3d and frequency = heavy and net_spend > 5) at least 2 times",
    "did order where (product.price > 5 and store.city in ['x'] and due in this month and note contains 'x')",
    "did touch where (store.location within 3km of person.home and channel = pos)",
    "days(touch where (channel in [pos]) in last 400d) > 3 and most(order.product.category) = coffee",
    "frequency != 'light' including unknown and in segment vip and not in segment buyers",
    "signup_at between 2026-01-01 and 2026-02-01 12:00 and renewal not between 2026-01-01 and 2026-01-31",
    "last_seen between 3d and 9d ago or (last_order default 90d) between 1d and 2d or last_scan in this month",
    "city matches '^x' and city starts with 'y' and tastes has all ['spicy'] and tastes not in [vegan]",
]


@pytest.mark.parametrize("rule", ALL_KINDS)
def test_every_plan_has_the_documented_shape(rule: str) -> None:
    message = build_plan(NOW, compiled(rule))
    check_plan(json.loads(message))


@pytest.mark.parametrize("rule", ALL_KINDS)
def test_a_root_has_a_part_for_each_clause_text(rule: str) -> None:
    """The engine counts each part of a root's `all` or `any` as a clause."""
    rule_compiled = compiled(rule)
    root = to_json(rule_compiled.roots[0].cond)
    assert len(rule_compiled.clauses) == (len(root["of"]) if root["op"] in ("all", "any") else 1)


def test_a_conjunction_has_the_plans_of_its_clauses() -> None:
    recency = {
        "op": "aggregate",
        "fn": "latest",
        "events": {"steps": steps("order", "scan"), "from": None, "to": NOW},
        "value": None,
        "day_starts": None,
    }
    assert cond("last_touch > 30d and channel in [pos, miniapp]") == {
        "op": "all",
        "of": [
            {
                "op": "compare",
                "cmp": ">",
                "left": {"op": "elapsed", "of": recency},
                "right": {"op": "literal", "value": {"duration": 30 * DAY}},
            },
            {"op": "in", "expr": {"op": "channels"}, "items": [text("pos"), text("miniapp")]},
        ],
    }


def test_thirty_elapsed_days_differ_from_a_calendar_month() -> None:
    rolling, calendar = compiled("did order in last 30d"), compiled("did order in last 1 calendar month")
    assert [(w.text, w.from_ms, w.to_ms) for w in rolling.windows] == [("in last 30d", NOW - 30 * DAY, NOW)]
    assert [(w.text, w.from_ms, w.to_ms) for w in calendar.windows] == [
        ("in last 1 calendar month", local("2026-10-01"), local("2026-11-01"))
    ]


def test_g7_tiers_are_disjoint_and_else_takes_everybody_else() -> None:
    tag = compile_tag("frequency", 1, LIBRARY, CATALOG, CLOCK)
    assert tag.values == ("heavy", "medium", "light")
    assert [root.name for root in tag.roots] == [f"frequency@1: {value}" for value in tag.values]
    heavy, medium, light = (to_json(root.cond) for root in tag.roots)

    def passed(tier: Any) -> Any:
        return {"op": "or_unknown", "of": {"op": "not", "of": tier}}

    (inner,) = medium["of"]
    assert inner["of"][1:] == [passed(heavy)]
    (rest,) = light["of"]
    assert rest["of"] == [{"op": "constant", "value": True}, passed(heavy), passed(inner["of"][0])]
    assert len(tag.clauses) == len(tag.roots)
    check_plan(json.loads(build_plan(NOW, tag)))


def test_several_rules_make_one_plan() -> None:
    vip, tag = compile_segment("vip", 3, LIBRARY, CATALOG, CLOCK), compile_tag("frequency", 1, LIBRARY, CATALOG, CLOCK)
    message = json.loads(build_plan(NOW, vip, tag))
    assert message == {"as_of": NOW, "roots": [to_json(root) for root in vip.roots + tag.roots]}


def test_a_plan_above_the_maximum_size_is_rejected() -> None:
    doubling = "metric m0 = points " + " ".join(f"metric m{n} = m{n - 1} + m{n - 1}" for n in range(1, 40))
    library = Library().publish(bind(doubling, Library()))
    with pytest.raises(RuleError) as caught:
        compile_condition(bind("m39 > 1", library), library, CATALOG, CLOCK)
    assert caught.value.reason == "limit"


def test_rules_nested_too_deeply_are_rejected() -> None:
    chain = ["metric m0 = points", *(f"metric m{n} = m{n - 1} + 1" for n in range(1, 500))]
    library = Library().publish(bind(" ".join(chain), Library()))
    with pytest.raises(RuleError, match="nested too deeply"):
        compile_condition(bind("m499 > 1", library), library, CATALOG, CLOCK)
    with pytest.raises(RuleError, match="nested too deeply"):
        bind(" ".join(reversed(chain)), Library())


def test_a_missing_rule_or_one_of_another_kind_is_rejected() -> None:
    for compile_one in (compile_segment, compile_tag):
        with pytest.raises(RuleError, match="there is no"):
            compile_one("nobody", 1, LIBRARY, CATALOG, CLOCK)
    with pytest.raises(RuleError, match="single condition"):
        compile_condition(bind("segment s: points = 1"), LIBRARY, CATALOG, CLOCK)
