"""Random formulas over three variables with three values each, and the people that make them true."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from hypothesis import strategies as st

from quanyu.dsl.linting.proving.formulas import (
    Atom,
    Conjunction,
    Disjunction,
    Formula,
    Variable,
    atom,
    conjunction,
    disjunction,
    negation,
)
from quanyu.dsl.linting.proving.value_sets import DiscreteSet, intersect
from quanyu.dsl.linting.proving.variables import ValueVariable

Person = Mapping[Variable, str]

DOMAIN = DiscreteSet.of("a", "b", "c")
VARIABLES = [ValueVariable("x", DOMAIN), ValueVariable("y", DOMAIN), ValueVariable("z", DOMAIN)]
PEOPLE: list[Person] = [dict(zip(VARIABLES, values, strict=True)) for values in itertools.product("abc", repeat=3)]

value_sets = st.frozensets(st.sampled_from("abc")).map(DiscreteSet)
formulas: st.SearchStrategy[Formula] = st.recursive(
    st.builds(atom, st.sampled_from(VARIABLES), value_sets | value_sets.map(lambda values: ~values)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda parts: conjunction(*parts)),
        st.lists(inner, max_size=4).map(lambda parts: disjunction(*parts)),
        inner.map(negation),
    ),
    max_leaves=12,
)


def is_true_of(formula: Formula, person: Person) -> bool:
    match formula:
        case Atom(variable=variable, values=values):
            return bool(intersect(values, DiscreteSet.of(person[variable])))
        case Conjunction(of=parts):
            return all(is_true_of(part, person) for part in parts)
        case Disjunction(of=parts):
            return any(is_true_of(part, person) for part in parts)
