"""Sets of people combined from roots."""

from quanyu.dsl.planning import nodes
from quanyu.dsl.planning.nodes import Root
from quanyu.dsl.planning.sets import clauses_of_root, exclusive_root, funnel_roots, moved_roots, required_clauses

A, B, C = (nodes.IsKnown(nodes.Attribute(name, None)) for name in "abc")
AMONG = nodes.Members(nodes.Constant(True), None)


def root(cond: nodes.Cond, among: nodes.Cond | None = None) -> Root:
    return Root("r", cond, among)


def members(cond: nodes.Cond, among: nodes.Cond | None = None) -> nodes.Cond:
    return nodes.Members(cond, among)


def test_clauses_are_the_parts_of_a_conjunction_or_disjunction() -> None:
    assert clauses_of_root(root(nodes.AllOf((A, B)))) == (A, B)
    assert clauses_of_root(root(nodes.AnyOf((A, B)))) == (A, B)
    assert clauses_of_root(root(A)) == (A,)


def test_clauses_are_required_only_in_a_conjunction() -> None:
    assert required_clauses(root(nodes.AllOf((A, B)), AMONG)) == [root(A, AMONG), root(B, AMONG)]
    assert required_clauses(root(A)) == [root(A)]
    assert required_clauses(root(nodes.AnyOf((A, B)))) == []


def test_a_funnel_adds_one_clause_at_a_time() -> None:
    first, second, third = funnel_roots(root(nodes.AllOf((A, B, C)), AMONG))
    assert first == root(A, AMONG)
    assert second == root(nodes.AllOf((A, B)), AMONG)
    assert third == root(nodes.AllOf((nodes.AllOf((A, B)), C)), AMONG)


def test_moved_people_are_in_one_of_the_sets_only_or_in_both() -> None:
    entering, leaving, staying = moved_roots([root(A, AMONG)], [root(B), root(C)])
    before, after = members(A, AMONG), nodes.AnyOf((members(B), members(C)))
    assert entering.cond == nodes.AllOf((after, nodes.Not(before)))
    assert leaving.cond == nodes.AllOf((before, nodes.Not(after)))
    assert staying.cond == nodes.AllOf((before, after))
    assert {moved.among for moved in (entering, leaving, staying)} == {None}


def test_a_set_without_roots_is_empty() -> None:
    entering, _, _ = moved_roots([], [root(A)])
    assert entering.cond == nodes.AllOf((members(A), nodes.Not(nodes.Constant(False))))


def test_an_exclusive_root_keeps_the_population_of_each_set() -> None:
    found = exclusive_root([root(A, AMONG)], [root(B)])
    assert found.cond == nodes.AllOf((members(A, AMONG), nodes.Not(members(B))))
