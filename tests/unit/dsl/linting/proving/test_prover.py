"""The prover against the enumeration of all people."""

from hypothesis import given

from quanyu.dsl.linting.proving.formulas import Formula, atom, conjunction, disjunction
from quanyu.dsl.linting.proving.prover import Prover
from quanyu.dsl.linting.proving.value_sets import DiscreteSet
from quanyu.dsl.linting.proving.variables import ValueVariable
from tests.unit.dsl.linting.proving.random_formulas import PEOPLE, formulas, is_true_of


@given(formulas)
def test_prover_refutes_exactly_the_formulas_that_no_person_makes_true(formula: Formula) -> None:
    prover = Prover(lambda facts: False)
    assert prover.is_refuted(formula) == (not any(is_true_of(formula, person) for person in PEOPLE))
    assert prover.is_possible(formula) == any(is_true_of(formula, person) for person in PEOPLE)


@given(formulas, formulas)
def test_a_formula_implies_another_if_everybody_who_makes_it_true_does(formula: Formula, other: Formula) -> None:
    expected = all(is_true_of(other, person) for person in PEOPLE if is_true_of(formula, person))
    assert Prover(lambda facts: False).implies(formula, other) == expected


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


def test_a_contradiction_between_facts_refutes_a_formula() -> None:
    x, y = (atom(ValueVariable(key), DiscreteSet.of(1)) for key in "xy")
    prover = Prover(lambda facts: {ValueVariable("x"), ValueVariable("y")} <= facts.keys())
    assert prover.is_refuted(x, y)
    assert prover.is_possible(x)
    assert prover.is_possible(disjunction(x, y))
