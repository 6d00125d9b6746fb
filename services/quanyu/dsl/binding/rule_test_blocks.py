"""Binds and checks `test` blocks against the catalog and the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from quanyu.dsl import syntax as s
from quanyu.dsl.binding import names, references
from quanyu.dsl.binding.conditions import Conditions
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.errors import RuleError
from quanyu.dsl.model.catalog import Field
from quanyu.dsl.model.types import Type, type_of_field

MAX_TESTS = 100  # per text
MAX_GIVEN = 1_000  # per test
_WRITTEN: dict[str, tuple[tuple[type[s.Node], ...], str]] = {
    "bool": ((s.Boolean,), "true"),
    "number": ((s.Number, s.Percent), "3"),
    "money": ((s.Number,), "12.50"),
    "text": ((s.Text,), "'...'"),
    "enum": ((s.Text,), "'...'"),
    "instant": ((s.Date, s.DateTime), "2026-01-31 08:00"),
    "date": ((s.Date,), "2026-01-31"),
    "month_day": ((s.Text,), "'01-31'"),
    "point": ((s.Point,), "(31.2304, 121.4737)"),
}


def bind_tests(tests: Sequence[s.Test], scope: Scope) -> tuple[s.Test, ...]:
    """Returns the tests with declared names, values and versions. Raises RuleError with the position."""
    if len(tests) > MAX_TESTS:
        raise RuleError.at(tests[MAX_TESTS].span, "limit", f"a text has at most {MAX_TESTS} tests: split it")
    called: set[str] = set()
    for test in tests:
        if test.name in called:
            raise RuleError.at(test.span, "name", f"another test is called '{test.name}': give each its own name")
        called.add(test.name)
    conditions = Conditions()
    return tuple(_bind(test, conditions, scope) for test in tests)


def expected_condition(then: s.ThenIn | s.ThenNotIn | s.ThenValue) -> s.Cond:
    """Returns the condition that the test evaluates. For `not in` the condition must not be true."""
    if isinstance(then, s.ThenValue):
        path = s.Path(s.Ref(then.name, span=then.span), span=then.span)
        return s.Compare(path, "=", then.value, span=then.span)
    return s.InSegment(then.ref, span=then.span)


def _bind(test: s.Test, conditions: Conditions, scope: Scope) -> s.Test:
    if len(test.given) > MAX_GIVEN:
        raise RuleError.at(test.given[MAX_GIVEN].span, "limit", f"a test has at most {MAX_GIVEN} `given`")
    if not test.then:
        message = "this test expects nothing, so it could not fail: end it with a `then`"
        raise RuleError.at(test.span, "value", message, "then anna in segment ...")
    given = tuple(_given(fact, conditions, scope) for fact in test.given)
    people = dict.fromkeys(fact.person for fact in given)
    for then in test.then:
        if then.person not in people:
            near = references.nearest(then.person, people) or list(people)[:3]
            raise RuleError.at(then.span, "name", f"no `given` is about `{then.person}`", *near)
    return replace(test, given=given, then=tuple(_then(then, conditions, scope) for then in test.then))


def _then(
    then: s.ThenIn | s.ThenNotIn | s.ThenValue, conditions: Conditions, scope: Scope
) -> s.ThenIn | s.ThenNotIn | s.ThenValue:
    bound = conditions.bind(expected_condition(then), scope)
    if isinstance(then, s.ThenValue):
        assert isinstance(bound, s.Compare)
        return replace(then, value=bound.right)
    assert isinstance(bound, s.InSegment)
    return replace(then, ref=bound.ref)


def _given(fact: s.GivenEvent | s.GivenPerson, conditions: Conditions, scope: Scope) -> s.GivenEvent | s.GivenPerson:
    if isinstance(fact, s.GivenPerson):
        fields = [_attribute(attr, scope) for attr in fact.attrs]
        return replace(fact, attrs=_attrs(fact, fields, conditions, scope))
    ref = references.bind_events(fact.ref, scope)
    if ref.name not in scope.catalog.event_types:
        types = references.event_types(ref, scope)
        message = f"`{ref.name}` is a definition: write one event type here"
        raise RuleError.at(fact.ref.span, "name", message, *types)
    fields = [_property(attr, ref.name, scope) for attr in fact.attrs]
    return replace(fact, ref=ref, attrs=_attrs(fact, fields, conditions, scope))


def _attribute(attr: s.Attr, scope: Scope) -> Field:
    declared = scope.catalog.find_attribute(scope.catalog.canonical(attr.name), None)
    if declared is not None:
        return declared
    known = {name.partition("@")[0] for name in scope.catalog.attributes}
    message = f"people have no attribute `{attr.name}`"
    raise RuleError.at(attr.span, "name", message, *references.nearest(attr.name, known))


def _property(attr: s.Attr, event_type: str, scope: Scope) -> Field:
    if scope.catalog.canonical(attr.name) == "channel":
        return Field("channel", "enum", values=scope.catalog.channels)
    properties = scope.catalog.event_types[event_type].properties
    declared = scope.catalog.find_property(properties, attr.name)
    if declared is not None:
        return declared
    known = {*names.property_names(event_type, scope), "channel"}
    message = f"{event_type} has no property `{attr.name}`"
    raise RuleError.at(attr.span, "name", message, *references.nearest(attr.name, known))


def _attrs(
    fact: s.GivenEvent | s.GivenPerson, fields: Sequence[Field], conditions: Conditions, scope: Scope
) -> tuple[s.Attr, ...]:
    bound: dict[str, s.Attr] = {}
    for attr, declared in zip(fact.attrs, fields, strict=True):
        if declared.name in bound:
            raise RuleError.at(attr.span, "name", f"`{declared.name}` is given twice here")
        value = _value(attr, declared, conditions, scope)
        bound[declared.name] = replace(attr, name=declared.name, value=value)
    return tuple(bound.values())


def _value(
    attr: s.Attr, declared: Field, conditions: Conditions, scope: Scope
) -> s.Expr | s.Point | tuple[s.Expr, ...]:
    kind = type_of_field(declared)
    if kind.kind == "map":
        raise RuleError.at(attr.span, "type", f"`{declared.name}` is a map, and a test cannot set a map")
    if kind.kind == "set":
        if not isinstance(attr.value, tuple):
            raise RuleError.at(attr.span, "type", f"`{declared.name}` is a set", f"{attr.name}: ['...']")
        item = Type("enum", values=kind.values)
        return tuple(_single(attr, value, item, conditions, scope) for value in attr.value)  # type: ignore[misc]
    if isinstance(attr.value, tuple):
        raise RuleError.at(attr.span, "type", f"`{declared.name}` is one {kind}, not a list")
    return _single(attr, attr.value, kind, conditions, scope)


def _single(
    attr: s.Attr, value: s.Expr | s.Point, kind: Type, conditions: Conditions, scope: Scope
) -> s.Expr | s.Point:
    if not isinstance(value, s.Point):
        value = conditions.expressions.bind_beside(value, kind, scope)[0]
    written, example = _WRITTEN[kind.kind]
    if not isinstance(value, written):
        raise RuleError.at(value.span, "type", f"write `{attr.name}` as {kind}, for example {example}")
    return value
