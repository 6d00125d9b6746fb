"""Values as variables: their keys, where they are known, their linear forms and their events."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl import syntax as s
from quanyu.dsl.linting.proving import Site
from quanyu.dsl.linting.proving.formulas import FALSE, TRUE, Formula, atom, negation
from quanyu.dsl.linting.proving.timeline import NOW, Ago
from quanyu.dsl.linting.proving.value_encoder import LinearForm, ValueEncoder, no_events, path_known, some_events
from quanyu.dsl.linting.proving.value_sets import IS_TRUE, DiscreteSet, IntervalSet
from quanyu.dsl.linting.proving.variables import EventSet, Known, Tally, ValueVariable
from quanyu.dsl.model.types import Type
from tests.unit.dsl.linting.proving.proofs import bound_condition, encode, make_encoder

ORDERS = EventSet((("order", TRUE),))
DAY_MS = 86_400_000
POINTS = s.Path(s.Ref("points"))
BALANCE = s.Path(s.Ref("balance"))


def encoder() -> ValueEncoder:
    return make_encoder().values


def value(text: str) -> s.Expr:
    """Returns the bound value from the left side of a comparison."""
    comparison = bound_condition(text)
    assert isinstance(comparison, s.Compare)
    return comparison.left


def aggregate(text: str) -> s.Aggregate:
    found = value(f"{text} > 0")
    assert isinstance(found, s.Aggregate)
    return found


def step(text: str) -> s.Step:
    did = bound_condition(text)
    assert isinstance(did, s.Did)
    assert isinstance(did.pattern, s.Event)
    return did.pattern.step


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("points > 3", "points < 9"),
        ("net_spend > 3", "net_spend@3 > 9"),
        ("last_touch > 3d", "last_touch@2 < 9d"),
        ("count(order in last 7d) > 3", "count(order in last 7d) < 9"),
        ("survey.a > 3", "survey['a'] > 3"),
        ("churn_risk > 3", "churn_risk@4 > 3"),
        ("max(touch@1.amount) > 3", "max(order.amount) > 3"),
    ],
)
def test_values_that_are_always_equal_have_the_same_key(one: str, other: str) -> None:
    values = encoder()
    assert values.key(value(one), Site()) == values.key(value(other), Site())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("points > 3", "balance > 3"),
        ("churn_risk@3 > 3", "churn_risk@4 > 3"),
        ("last_order > 3d", "first_order > 3d"),
        ("last_order > 3d", "last_touch > 3d"),
        ("max(order.amount) > 3", "min(order.amount) > 3"),
        ("max(order.amount) > 3", "max(order.quantity) > 3"),
        ("max(order.amount in last 7d) > 3", "max(order.amount in last 8d) > 3"),
        ("max(order.amount) > 3", "max(order.amount where (quantity > 1)) > 3"),
        ("survey.a > 3", "survey.b > 3"),
        ("quintile(points) > 3", "decile(points) > 3"),
        ("quintile(points) > 3", "quintile(points among vip) > 3"),
        ("points + 1 > 3", "points - 1 > 3"),
        ("(points default 0) > 3", "(points default 1) > 3"),
    ],
)
def test_values_that_can_differ_have_different_keys(one: str, other: str) -> None:
    values = encoder()
    assert values.key(value(one), Site()) != values.key(value(other), Site())


# --- known values ---------------------------------------------------------------------------------


def test_a_path_is_known_only_if_all_its_parts_are() -> None:
    known = path_known("event", ("store", "city"))
    (first, last) = (atom(Known(("event", *keys)), IS_TRUE) for keys in (("store",), ("store", "city")))
    prover = make_encoder().prover
    assert prover.implies(known, first)
    assert prover.implies(known, last)
    assert not prover.implies(first, known)


@pytest.mark.parametrize(
    "text", ["count(order) > 1", "days(order) > 1", "distinct(order.note) > 1", "sum(order.amount) > 1"]
)
def test_u10_counts_and_sums_are_always_known(text: str) -> None:
    assert encoder().known(value(text), Site()) == TRUE


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("avg(order.amount) > 1", "did order"),
        ("latest(order) > 2026-01-01", "did order"),
        ("last_touch > 3d", "did touch"),
        ("balance / points > 1", "points is known"),
        ("balance / points > 1", "balance is known"),
        ("quintile(points) > 1", "points is known"),
        ("quintile(points among buyers) > 1", "did order"),
        ("net_spend / count(order in last 7d) > 1", "did order in last 7d"),
    ],
)
def test_a_known_value_has_its_events_operands_and_population(text: str, condition: str) -> None:
    whole = make_encoder()
    known, required = whole.values.known(value(text), Site()), encode(whole, condition).true
    assert whole.prover.implies(known, required)
    assert not whole.prover.implies(TRUE, known)


def test_a_value_with_a_known_default_is_known() -> None:
    assert encoder().known(value("(points default 0) > 3"), Site()) == TRUE
    known = encoder().known(value("(survey.a default survey.b) > 3"), Site(), Type("number"))
    assert known not in (TRUE, FALSE)


def test_c2_an_entry_of_a_map_is_known_only_with_the_type_of_the_other_side() -> None:
    whole, entry = make_encoder(), value("survey.a > 3")
    as_number, as_text, untyped = (
        whole.values.known(entry, Site(), beside) for beside in (Type("number"), Type("text"), Type("any"))
    )
    assert whole.prover.implies(as_number, untyped)
    assert not whole.prover.implies(untyped, as_number)
    assert not whole.prover.implies(as_number, as_text)


# --- numbers --------------------------------------------------------------------------------------

numbers = st.integers(-4, 4).map(Fraction)
variables = st.sampled_from([ValueVariable("x"), ValueVariable("y")])


def evaluate(form: LinearForm, person: dict[str, Fraction]) -> Fraction:
    if form.variable is None:
        return form.offset
    assert isinstance(form.variable, ValueVariable)
    return form.factor * person[str(form.variable.key)] + form.offset


def linear_forms() -> st.SearchStrategy[LinearForm]:
    constants = numbers.map(lambda number: LinearForm(Fraction(0), None, number))
    factors = numbers.filter(bool)
    return constants | st.builds(LinearForm, factors, variables, numbers)


@given(linear_forms(), linear_forms(), numbers, numbers, numbers)
def test_sums_and_multiples_of_linear_forms_have_the_values_of_the_numbers(
    one: LinearForm, other: LinearForm, factor: Fraction, x: Fraction, y: Fraction
) -> None:
    person = {"x": x, "y": y}
    assert evaluate(one.times(factor), person) == factor * evaluate(one, person)
    total = one + other
    if total is None:
        assert one.variable != other.variable
    else:
        assert evaluate(total, person) == evaluate(one, person) + evaluate(other, person)


literals = st.integers(-4, 4).map(lambda number: s.Number(number))  # type: ignore[arg-type]
arithmetic: st.SearchStrategy[s.Expr] = st.recursive(
    st.just(POINTS) | literals,
    lambda inner: st.builds(s.Arithmetic, st.sampled_from("+-*/"), inner, inner),
    max_leaves=5,
)


def compute(expr: s.Expr, points: Fraction) -> Fraction:
    match expr:
        case s.Number(value=number):
            return Fraction(number)
        case s.Arithmetic(op=op, left=left, right=right):
            a, b = compute(left, points), compute(right, points)
            return {"+": a + b, "-": a - b, "*": a * b, "/": a / b if op == "/" else a}[op]
    return points


@given(arithmetic, numbers)
def test_the_linear_form_of_an_expression_of_one_value_has_its_number(expr: s.Expr, points: Fraction) -> None:
    values = encoder()
    form = values.linear_form(expr, Site())
    if form.variable not in (None, ValueVariable(values.key(POINTS, Site()))):
        return  # not linear
    try:
        expected = compute(expr, points)
    except ZeroDivisionError:
        return
    found = form.offset if form.variable is None else form.factor * points + form.offset
    assert found == expected


def test_an_expression_of_two_values_is_a_variable_of_its_own() -> None:
    values = encoder()
    both = s.Arithmetic("+", POINTS, BALANCE)
    assert values.linear_form(both, Site()) == LinearForm(
        Fraction(1), ValueVariable(values.key(both, Site())), Fraction(0)
    )


def test_a_metric_has_the_linear_form_of_its_expression() -> None:
    values = encoder()
    metric, expression = (
        value("net_spend > 3"),
        value("sum(order.amount in last 90d) - sum(refund.amount in last 90d) > 3"),
    )
    assert values.linear_form(metric, Site()).factor == values.linear_form(expression, Site()).factor == 1
    assert values.linear_form(metric, Site()).variable == values.linear_form(expression, Site()).variable


def test_a_number_is_in_intervals_where_its_variable_is_in_their_preimage() -> None:
    values = encoder()
    doubled = s.Arithmetic("*", POINTS, s.Number(2))  # type: ignore[arg-type]
    expected = atom(ValueVariable(values.key(POINTS, Site())), IntervalSet.comparing(">", 2))
    assert values.number_atom(doubled, IntervalSet.comparing(">", 4), Site()) == expected
    constant = s.Number(3)  # type: ignore[arg-type]
    assert values.number_atom(constant, IntervalSet.comparing(">", 2), Site()) == TRUE
    assert values.number_atom(constant, IntervalSet.comparing("<", 2), Site()) == FALSE


@pytest.mark.parametrize(("fn", "highest"), [("quintile", 5), ("decile", 10), ("percentile", 100)])
def test_r3_a_tile_is_a_whole_number_from_1(fn: str, highest: int) -> None:
    values, tile = encoder(), value(f"{fn}(points) > 1")
    for number, expected in ((0, False), (1, True), (highest, True), (highest + 1, False), (Fraction(3, 2), False)):
        assert (values.number_atom(tile, IntervalSet.comparing("=", number), Site()) != FALSE) == expected


def test_a_sum_other_than_zero_needs_events() -> None:
    whole, total = make_encoder(), value("sum(order.amount) > 0")
    some = encode(whole, "did order").true
    assert whole.prover.implies(whole.values.number_atom(total, IntervalSet.comparing(">", 0), Site()), some)
    assert not whole.prover.implies(whole.values.number_atom(total, IntervalSet.comparing(">=", 0), Site()), some)


# --- texts and flags ------------------------------------------------------------------------------


def test_only_flags_ordered_enums_and_tags_have_a_closed_set_of_values() -> None:
    values = encoder()

    def domain(name: str) -> object:
        path = s.Path(s.Ref(name, 1 if name == "frequency" else None))
        return values.discrete_value(path, values.type_of(path, Site()), Site()).domain

    assert domain("subscribed") == DiscreteSet.of(True, False)
    assert domain("level") == DiscreteSet.of("bronze", "silver", "gold")
    assert domain("frequency") == DiscreteSet.of("heavy", "medium", "light")
    assert domain("tier") is domain("city") is None


# --- events ---------------------------------------------------------------------------------------


def test_a_step_has_its_events_by_type() -> None:
    values = encoder()
    assert values.event_set(step("did order")) == ORDERS
    assert [event_type for event_type, _ in values.event_set(step("did touch")).of] == ["order", "scan"]
    assert values.event_set(step("did touch@1")) == ORDERS
    ((event_type, formula),) = values.event_set(step("did order where (amount > 5)")).of
    assert event_type == "order"
    assert formula not in (TRUE, FALSE)


def test_types_whose_events_cannot_pass_are_left_out() -> None:
    values = encoder()
    assert values.event_set(step("did order where (amount > 5 and amount < 3)")) == EventSet(())
    assert values.aggregate_tally(aggregate("count(order where (amount > 5 and amount < 3))")).limit == 0


def test_an_aggregate_counts_the_events_days_or_values_of_its_window() -> None:
    values = encoder()
    week = Ago(7 * DAY_MS), NOW
    assert values.aggregate_tally(aggregate("count(order in last 7d)")) == Tally("count", ORDERS, *week)
    days = values.aggregate_tally(aggregate("days(order in last 7d)"))
    assert (days, days.limit) == (Tally("days", ORDERS, *week), 8)
    distinct = values.aggregate_tally(aggregate("distinct(order.note in last 7d)"))
    assert (distinct.kind, distinct.value) == ("distinct", ("note",))


def test_an_empty_window_has_no_events() -> None:
    values = encoder()
    assert values.make_tally("count", ORDERS, (NOW, Ago(DAY_MS))).limit == 0
    assert values.make_tally("count", ORDERS, (Ago(DAY_MS), NOW)).limit == float("inf")
    assert some_events(values.make_tally("count", ORDERS, (NOW, NOW))) == FALSE


def test_days_and_values_are_zero_where_there_are_no_events() -> None:
    tallies = [Tally(kind, ORDERS, Ago(DAY_MS), NOW) for kind in ("count", "days", "distinct")]
    formulas: set[Formula] = {no_events(tally) for tally in tallies}
    assert len(formulas) == 1
    assert {negation(some_events(tally)) for tally in tallies} == formulas
