"""The prover against the enumeration of all people."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl.linting.proving.formulas import (
    Atom,
    Conjunction,
    Disjunction,
    Formula,
    atom,
    conjunction,
    disjunction,
    negation,
)
from quanyu.dsl.linting.proving.prover import Prover
from quanyu.dsl.linting.proving.value_sets import DiscreteSet, intersect
from quanyu.dsl.linting.proving.variables import ValueVariable

DOMAIN = DiscreteSet.of("a", "b", "c")
SUBJECTS = [ValueVariable("x", DOMAIN), ValueVariable("y", DOMAIN), ValueVariable("z", DOMAIN)]


def random_formulas() -> st.SearchStrategy[Formula]:
    values = st.frozensets(st.sampled_from("abc")).map(DiscreteSet)
    atoms = st.builds(atom, st.sampled_from(SUBJECTS), values | values.map(lambda choice: ~choice))
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4).map(lambda parts: conjunction(*parts)),
            st.lists(inner, max_size=4).map(lambda parts: disjunction(*parts)),
            inner.map(negation),
        ),
        max_leaves=12,
    )


def is_true_of(formula: Formula, person: dict[Any, str]) -> bool:
    match formula:
        case Atom(variable=variable, values=values):
            return bool(intersect(values, DiscreteSet.of(person[variable])))
        case Conjunction(of=parts):
            return all(is_true_of(part, person) for part in parts)
        case Disjunction(of=parts):
            return any(is_true_of(part, person) for part in parts)


@given(random_formulas())
def test_prover_refutes_exactly_the_formulas_that_no_person_makes_true(formula: Formula) -> None:
    people = [dict(zip(SUBJECTS, values, strict=True)) for values in itertools.product("abc", repeat=3)]
    prover = Prover(lambda facts: False)
    assert prover.is_refuted(formula) == (not any(is_true_of(formula, person) for person in people))
    assert prover.is_possible(formula) == any(is_true_of(formula, person) for person in people)
    assert all(is_true_of(negation(formula), person) != is_true_of(formula, person) for person in people)


def test_prover_without_steps_answers_neither_way() -> None:
    prover = Prover(lambda facts: False, all_steps=3)
    one = DiscreteSet.of(1)
    opposite = conjunction(
        atom(ValueVariable("x"), one), disjunction(atom(ValueVariable("y"), one), atom(ValueVariable("z"), one))
    )
    assert not prover.is_refuted(opposite, opposite)
    assert not prover.is_refuted(
        atom(ValueVariable("x"), DiscreteSet.of(1)), atom(ValueVariable("x"), DiscreteSet.of(2))
    )
    assert not prover.is_possible(atom(ValueVariable("x"), DiscreteSet.of(1)))
    assert prover.is_exhausted
