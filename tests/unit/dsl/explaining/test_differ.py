"""Differences between two versions in words: one for each changed clause, none if only the order changed."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl import Library, RuleError, describe_differences, format_rule, parse, syntax
from quanyu.dsl.model.library import Rule
from tests.seed import examples
from tests.unit.dsl import trees
from tests.unit.dsl.world import CATALOG, LIBRARY, bind

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

LISTS = (syntax.InList, syntax.NotInList, syntax.HasAny, syntax.HasAll, syntax.HasNone)
rules = trees.statements.filter(lambda statement: isinstance(statement, Rule))


def shuffled(node: Any, chosen: random.Random) -> Any:
    """Returns a node with the same meaning: its clauses, list items and steps of definitions in another order."""
    fields = {}
    for name, value in syntax.get_fields(node).items():
        if isinstance(value, tuple):
            items = [shuffled(item, chosen) if isinstance(item, syntax.Node) else item for item in value]
            if isinstance(node, (syntax.AllOf, syntax.AnyOf, syntax.Define, *LISTS)):
                chosen.shuffle(items)
            fields[name] = tuple(items)
        else:
            fields[name] = shuffled(value, chosen) if isinstance(value, syntax.Node) else value
    return replace(node, **fields)


def describe(old: Rule, new: Rule) -> list[str]:
    return describe_differences(old, new, Library(), Library(), CATALOG)


@examples(150)
@given(rules, st.randoms(use_true_random=False))
def test_another_order_of_clauses_is_not_a_difference(rule: Rule, chosen: random.Random) -> None:
    assert describe(rule, shuffled(rule, chosen)) == []


@examples(150)
@given(rules, rules)
def test_every_other_change_is_a_difference(old: Rule, new: Rule) -> None:
    if type(old) is type(new):
        new = replace(new, ref=old.ref)
        assert (describe(old, new) == []) == (canonical(old) == canonical(new))
        assert (describe(new, old) == []) == (canonical(old) == canonical(new))


def canonical(node: Any) -> Any:
    """Returns a text for a node in which all parts are sorted whose order does not matter. Does not use the differ."""
    if isinstance(node, tuple):
        return "[" + ",".join(map(canonical, node)) + "]"
    if not isinstance(node, syntax.Node):
        return repr(node)
    parts = {name: value for name, value in syntax.get_fields(node).items() if name != "span"}
    text = {name: canonical(value) for name, value in parts.items()}
    if isinstance(node, (syntax.AllOf, syntax.AnyOf, syntax.Define, *LISTS)):
        sets = {name: sorted(map(canonical, value)) for name, value in parts.items() if isinstance(value, tuple)}
        text |= {name: "{" + ",".join(items) + "}" for name, items in sets.items()}
    return f"{type(node).__name__}({text})"


def differences(old: str, new: str) -> list[str]:
    """Describes the differences between two versions of a rule in the tests' world."""
    before, after = bind(old), bind(new)
    (was,), (now,) = before.statements, after.statements
    assert isinstance(was, Rule)
    assert isinstance(now, Rule)
    return describe_differences(was, now, LIBRARY.publish(before), LIBRARY.publish(after), CATALOG)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("segment s: points > 3", "segment s@2: points > 3", []),
        ("segment s: points > 3 and city = 'a'", "segment s@2: city = 'a' and points > 3", []),
        (
            "segment s: points > 3 and city = 'a'",
            "segment s@2: city = 'a' and points > 5 and did order in last 7d",
            ["changed from points > 3 to points > 5", "added: did order in last 7d"],
        ),
        ("segment s: points > 3 and city = 'a'", "segment s@2: points > 3", ["removed: city = 'a'"]),
        (
            "segment s: points > 3 and city = 'a'",
            "segment s@2: points > 3 or city = 'a'",
            ["changed how clauses are joined: one of the clauses is enough"],
        ),
        (
            "segment s: points > 3",
            "segment s@2 among buyers: points > 3",
            ["changed from among everybody to among buyers@1"],
        ),
        (
            "tag t: 'a' when points > 3; 'b' when points > 1; else 'c'",
            "tag t@2: 'b' when points > 1; 'a' when points > 9; 'd' when city = 'x'",
            [
                "added: 'd' when city = 'x'",
                "'a': changed from points > 3 to points > 9",
                "changed the order in which values are tried: 'b', 'a'",
                "changed from else 'c' to no else",
            ],
        ),
        (
            "metric m = sum(order.amount)",
            "metric m@2 = avg(order.amount)",
            ["changed from sum(order.amount) to avg(order.amount)"],
        ),
        ("define d = order or scan", "define d@2 = scan or order or refund", ["added: refund"]),
        (
            "segment s: last_touch@1 > 30d",
            "segment s@2: last_touch@2 > 30d",
            [
                "changed from last_touch@1 > 30d to last_touch@2 > 30d",
                "definition touch@2 is used, was touch@1: added: scan",
            ],
        ),
    ],
)
def test_a_change_has_its_sentence(old: str, new: str, expected: list[str]) -> None:
    assert differences(old, new) == expected


def test_changes_of_indirect_dependencies_come_last() -> None:
    first = bind("define d = order\nmetric m = count(d)\nsegment s: m > 3")
    library = LIBRARY.publish(first)
    second = bind("define d@2 = order or scan\nmetric m@2 = count(d)\nsegment s@2: m > 3", library)
    was, now = library.get("s", 1), library.publish(second).get("s", 2)
    assert was is not None
    assert now is not None
    assert describe_differences(was, now, library, library.publish(second), CATALOG) == [
        "changed from m@1 > 3 to m@2 > 3",
        "definition d@2 is used, was d@1: added: scan",
        "metric m@2 is used, was m@1: changed from count(d@1) to count(d@2)",
    ]


def test_thousands_of_changed_clauses_are_removed_and_added() -> None:
    def segment(version: int) -> Rule:
        clauses = " or ".join(f"city = 'c{n * version}'" for n in range(3_000))
        (rule,) = parse(f"segment s@{version}: {clauses}").statements
        assert isinstance(rule, Rule)
        return rule

    found = describe(segment(1), segment(2))
    assert len([sentence for sentence in found if sentence.startswith("added")]) == 1500
    assert len([sentence for sentence in found if sentence.startswith("removed")]) == 1500


def test_rules_of_different_kinds_cannot_be_compared() -> None:
    (metric,), (define,) = parse("metric a = count(order)").statements, parse("define a = order").statements
    assert isinstance(metric, Rule)
    assert isinstance(define, Rule)
    with pytest.raises((TypeError, RuleError), match="is compared with"):
        describe(metric, define)
    assert format_rule(metric)
