"""Formulas: their truth against the enumeration of all people, and their simplification."""

from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl.linting.proving.formulas import (
    FALSE,
    TRUE,
    Conjunction,
    Formula,
    Truth,
    atom,
    conjunction,
    disjunction,
    inline_or_name,
    negation,
)
from quanyu.dsl.linting.proving.value_sets import DiscreteSet
from quanyu.dsl.linting.proving.variables import BooleanVariable, ValueVariable
from tests.unit.dsl.linting.proving.random_formulas import DOMAIN, PEOPLE, VARIABLES, formulas, is_true_of

X, Y, Z = VARIABLES
NAME = atom(BooleanVariable("name"), DiscreteSet.of(True))


def equals(variable: ValueVariable, *values: str) -> Formula:
    return atom(variable, DiscreteSet.of(*values))


@given(st.lists(formulas, max_size=3))
def test_conjunction_and_disjunction_hold_where_all_and_any_parts_hold(parts: list[Formula]) -> None:
    for person in PEOPLE:
        assert is_true_of(conjunction(*parts), person) == all(is_true_of(part, person) for part in parts)
        assert is_true_of(disjunction(*parts), person) == any(is_true_of(part, person) for part in parts)


@given(formulas)
def test_negation_holds_exactly_where_the_formula_does_not(formula: Formula) -> None:
    assert all(is_true_of(negation(formula), person) != is_true_of(formula, person) for person in PEOPLE)


@given(formulas, formulas)
def test_truth_has_one_of_three_values_for_each_person(holds: Formula, known: Formula) -> None:
    truth = Truth.from_formula(holds, known)
    for person in PEOPLE:
        values = [is_true_of(part, person) for part in (truth.true, truth.false, truth.unknown)]
        is_known = is_true_of(known, person)
        assert values == [
            is_known and is_true_of(holds, person),
            is_known and not is_true_of(holds, person),
            not is_known,
        ]


def test_not_swaps_true_and_false_and_keeps_unknown() -> None:
    truth = Truth.from_formula(equals(X, "a"), equals(Y, "a"))
    assert (~truth).true == truth.false
    assert (~truth).false == truth.true
    assert (~truth).unknown == conjunction(negation(truth.false), negation(truth.true))


def test_an_atom_outside_the_domain_is_false_and_one_that_contains_it_is_true() -> None:
    assert equals(X, "d") == FALSE
    assert equals(X, "a", "b", "c", "d") == TRUE
    assert atom(X, ~DOMAIN) == FALSE
    assert equals(ValueVariable("free"), "d") not in (TRUE, FALSE)


def test_atoms_of_one_variable_become_one_atom() -> None:
    assert conjunction(equals(X, "a", "b"), equals(X, "b", "c")) == equals(X, "b")
    assert disjunction(equals(X, "a"), equals(X, "b")) == equals(X, "a", "b")
    assert conjunction(equals(X, "a"), equals(X, "b")) == FALSE
    assert disjunction(equals(X, "a"), equals(X, "b", "c")) == TRUE


def test_nested_formulas_are_flattened_without_duplicates() -> None:
    either = disjunction(equals(X, "a"), equals(Y, "a"))
    nested = conjunction(equals(Z, "a"), conjunction(either, conjunction(either, equals(Z, "a"))))
    assert nested == conjunction(equals(Z, "a"), either)


def test_constants_disappear_from_formulas() -> None:
    assert conjunction(TRUE, equals(X, "a")) == disjunction(FALSE, equals(X, "a")) == equals(X, "a")
    assert conjunction(FALSE, equals(X, "a")) == FALSE
    assert disjunction(TRUE, equals(X, "a")) == TRUE
    assert (conjunction(), disjunction()) == (TRUE, FALSE)


@given(formulas)
def test_equal_formulas_have_the_same_hash(formula: Formula) -> None:
    one, other = Conjunction((formula,)), Conjunction((formula,))
    assert one == other
    assert hash(one) == hash(other)


def test_a_large_formula_is_replaced_by_its_name() -> None:
    small = equals(X, "a")
    large = conjunction(*(equals(ValueVariable(n), "a") for n in range(1_000)))
    assert inline_or_name(small, NAME) == small
    assert inline_or_name(large, NAME) == NAME
