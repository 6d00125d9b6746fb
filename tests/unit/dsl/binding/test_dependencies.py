"""Dependencies between rules, and rules bound to other versions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl import Library, check_and_bind, dependencies_of, dependents_of, format_rule, rebind
from tests.seed import examples
from tests.unit.dsl.world import CATALOG, LIBRARY, bind


def test_dependencies_are_the_rules_that_a_rule_uses_directly() -> None:
    library = LIBRARY.publish(
        bind("segment s among vip: last_touch@1 > 30d and net_spend > 3 and frequency = 'heavy' and churn_risk@4 > 0.5")
    )
    rule = library.get("s", 1)
    assert rule is not None
    assert dependencies_of(rule, CATALOG, library) == [("frequency", 1), ("net_spend", 3), ("touch", 1), ("vip", 3)]


def test_dependents_use_a_version_directly_or_indirectly() -> None:
    library = LIBRARY.publish(bind("segment best: in segment vip and did touch\nsegment old: did touch@1"))
    assert dependents_of(("buyers", 1), CATALOG, library) == {("best", 1): False, ("vip", 3): True}
    assert dependents_of(("touch", 2), CATALOG, library) == {("best", 1): True}
    assert dependents_of(("touch", 1), CATALOG, library) == {("old", 1): True}
    assert dependents_of(("best", 1), CATALOG, library) == {}


@examples(80)
@given(st.lists(st.sets(st.integers(0, 7), max_size=3), min_size=2, max_size=8), st.integers(0, 7))
def test_dependents_are_the_transitive_closure(graph: list[set[int]], target: int) -> None:
    """Each rule uses some of the rules before it."""
    library = Library()
    names: list[set[int]] = []
    for n, used in enumerate(graph):
        names.append({other for other in used if other < n})
        clauses = [f"in segment s{other}" for other in sorted(names[n])] or ["points > 3"]
        library = library.publish(check_and_bind(f"segment s{n}: {' and '.join(clauses)}", CATALOG, library))
    target %= len(graph)

    def reaches(n: int) -> bool:
        return target in names[n] or any(reaches(other) for other in names[n])

    expected = {(f"s{n}", 1): target in names[n] for n in range(len(graph)) if reaches(n)}
    assert dependents_of((f"s{target}", 1), CATALOG, library) == expected


def test_rebind_replaces_the_given_versions() -> None:
    library = LIBRARY.publish(bind("segment s among buyers: last_touch@1 > 30d and did order where (amount > 3) ever"))
    rule = library.get("s", 1)
    assert rule is not None
    again = rebind(rule, {"touch": 2, "order": 9}, CATALOG, library)
    assert format_rule(again) == "segment s@1 among buyers@1: last_touch@2 > 30d and did order where (amount > 3) ever"
    assert rebind(rule, {}, CATALOG, library) == rule
