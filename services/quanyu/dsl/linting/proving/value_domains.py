"""Values, as what formulas speak of: by which name, when they are known, how they rest on events."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

from quanyu.dsl import syntax as s
from quanyu.dsl.binding import names
from quanyu.dsl.binding.conditions import Conditions
from quanyu.dsl.binding.names import Scope, StepScope
from quanyu.dsl.calendar.windows import Clock
from quanyu.dsl.linting.proving.moments import Moments, Span
from quanyu.dsl.linting.proving.ranges import (
    EITHER_WAY,
    TRULY,
    Choice,
    Numbers,
    Values,
)
from quanyu.dsl.linting.proving.subjects import (
    Events,
    Known,
    Says,
    Tally,
    Value,
)
from quanyu.dsl.linting.proving.truth import (
    ALWAYS,
    NEVER,
    Formula,
    Prover,
    Subject,
    Truth,
    both,
    denied,
    either,
    looked_through,
    says,
)
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import Rules
from quanyu.dsl.model.types import NUMBER, UNTYPED, Type, nfkc

TILES = {"quintile": 5, "decile": 10, "percentile": 100}
NO = Numbers.where("=", 0, whole=True)
_TALLIES = ("count", "days", "distinct")


@dataclass(frozen=True)
class Place:
    """Where an expression stands: in the `where` of a step, in a rule with its own population."""

    step: StepScope | None = None
    among: s.Ref | None = None
    rule: str | None = None


@dataclass(frozen=True)
class Measure:
    """A number: factor · subject + offset, or the offset alone."""

    factor: Fraction
    subject: Subject | None
    offset: Fraction

    def __add__(self, other: Measure) -> Measure | None:
        """None: of two subjects there is no such form."""
        if self.subject and other.subject and self.subject != other.subject:
            return None
        factor = self.factor + other.factor
        return Measure(factor, (self.subject or other.subject) if factor else None, self.offset + other.offset)

    def times(self, number: Fraction) -> Measure:
        return Measure(self.factor * number, self.subject if number else None, self.offset * number)


class Worths:
    """`truth` reads the condition of a `where`, a tier or a segment."""

    def __init__(
        self,
        catalog: Catalog,
        rules: Rules,
        clock: Clock,
        moments: Moments,
        prover: Prover,
        truth: Callable[[s.Cond, Place], Truth],
    ) -> None:
        self._scope = Scope(catalog, rules)
        self.clock, self.moments, self._prover, self._truth = clock, moments, prover, truth
        self._types = Conditions().expressions
        self._metrics: dict[s.Ref, Measure] = {}
        self._metrics_known: dict[tuple[s.Ref, Type], Formula] = {}
        self._definitions: dict[s.Ref, dict[str, Formula]] = {}

    def rule(self, ref: s.Ref) -> Any:
        return self._scope.rules.get(ref.name, ref.version or 1)

    def kind(self, expr: s.Expr, place: Place) -> Type:
        return self._types.bind(expr, self.scope(place))[1]

    def scope(self, place: Place) -> Scope:
        return replace(self._scope, step=place.step, rule=place.rule)

    def meaning(self, path: s.Path, place: Place) -> names.Meaning:
        return names.resolve(path, self.scope(place))[1]

    # names

    def key(self, expr: s.Expr | s.Point, place: Place) -> Hashable:
        """Equal for expressions that have the same value of everybody."""
        match expr:
            case s.Path():
                return self._path_key(expr, place)
            case s.Aggregate(fn=fn):
                value = tuple(_text(key) for key in expr.path.keys)
                return (fn, self.aggregated(expr), value)
            case s.Tile(fn=fn, expr=ranked, among=among):
                return (fn, self.key(ranked, place), among or place.among)
            case s.Arithmetic(op=op, left=left, right=right):
                return (op, self.key(left, place), self.key(right, place))
            case s.Default(expr=inner, otherwise=otherwise):
                return ("default", self.key(inner, place), self.key(otherwise, place))
        return expr

    def _path_key(self, path: s.Path, place: Place) -> Hashable:
        match self.meaning(path, place):
            case names.EventChannel():
                return ("event", "channel")
            case names.Property(keys=keys):
                return ("event", *keys)
            case names.Attribute(field=declared, key=key):
                return ("person", declared.name) if key is None else ("person", declared.name, key)
            case names.RuleValue(ref=ref):
                rule = self.rule(ref)
                if isinstance(rule, s.Metric) and not isinstance(rule.expr, (s.Arithmetic, s.Default)):
                    return self.key(rule.expr, Place())
                return ("person", ref.name, ref.version)
            case names.Seen(first=first) | names.Recency(first=first):
                return ("earliest" if first else "latest", self.occasions(path, place), ())
        return ("person", "channel")

    # what is known

    def known(self, expr: s.Expr | s.Point, place: Place, beside: Type = UNTYPED) -> Formula:
        """`beside`: the type of the other side; an entry of a map that is of another one is unknown to it."""
        match expr:
            case s.Path():
                return self._path_known(expr, place, beside)
            case s.Arithmetic(op=op, left=left, right=right):
                divides = denied(self.number(right, Numbers.where("=", 0), place)) if op == "/" else ALWAYS
                return both(self.known(left, place, NUMBER), self.known(right, place, NUMBER), divides)
            case s.Default(expr=inner, otherwise=otherwise):
                beside = beside if beside.kind != "any" else self.kind(expr, place)
                return either(self.known(inner, place, beside), self.known(otherwise, place, beside))
            case s.Aggregate(fn=fn) if fn not in (*_TALLIES, "sum"):
                return some(self.aggregated(expr))
            case s.Tile(expr=ranked, among=among):
                return both(self.population(among, place), self.known(ranked, place, NUMBER))
        return ALWAYS

    def _path_known(self, path: s.Path, place: Place, beside: Type) -> Formula:
        match self.meaning(path, place):
            case names.Channels():
                return ALWAYS
            case names.EventChannel():
                return says(Known(("event", "channel")), TRULY)
            case names.Property(keys=keys):
                return value_known("event", keys)
            case names.Attribute(field=declared, key=None):
                return value_known("person", (declared.name,))
            case names.Attribute(field=declared, key=str() as key):
                known = value_known("person", (declared.name, key))
                family = "number" if beside.numeric else beside.family
                is_typed = says(Known(("person", declared.name, key, family)), TRULY)
                return known if beside.kind == "any" else both(known, is_typed)
            case names.RuleValue(ref=ref):
                return self._rule_known(ref, beside)
        return some(self.occasions(path, place))

    def _rule_known(self, ref: s.Ref, beside: Type) -> Formula:
        rule, name = self.rule(ref), says(Known((ref.name, ref.version, beside)), TRULY)
        if isinstance(rule, s.Tag):
            return ALWAYS if rule.otherwise else name
        if (ref, beside) not in self._metrics_known:
            self._metrics_known[ref, beside] = looked_through(self.known(rule.expr, Place(), beside), name)
        return self._metrics_known[ref, beside]

    def population(self, ref: s.Ref | None, place: Place) -> Formula:
        """Of a rank (R6); whom the rule's own among leaves out, it is not asked of."""
        return self._truth(s.InSegment(ref), Place()).true if ref else ALWAYS

    # numbers

    def number(self, expr: s.Expr, values: Numbers, place: Place) -> Formula:
        """Where the expression is known, it has one of these values."""
        return self.measured(self.measure(expr, place), values)

    def measured(self, measure: Measure, values: Numbers) -> Formula:
        factor, subject, offset = measure.factor, measure.subject, measure.offset
        if subject is None:
            return ALWAYS if values & Numbers.where("=", offset) else NEVER
        domain = subject.domain
        scaled = values.scaled(factor, offset, isinstance(domain, Numbers) and domain.whole)
        if isinstance(subject, Tally):
            return _tallied(subject, scaled)
        found = says(subject, scaled)
        if isinstance(subject, Value) and isinstance(subject.key, tuple) and subject.key[0] == "sum":
            return found if scaled & Numbers.where("=", 0) else both(found, some(subject.key[1]))
        return found

    def measure(self, expr: s.Expr, place: Place) -> Measure:
        match expr:
            case s.Number(value=number):
                return Measure(Fraction(0), None, Fraction(number))
            case s.Percent(fraction=number):
                return Measure(Fraction(0), None, Fraction(number))
            case s.Arithmetic():
                return self._arithmetic(expr, place) or self._single(Value(self.key(expr, place)))
            case s.Aggregate(fn=fn) if fn in _TALLIES:
                return self._single(self.aggregated(expr))
            case s.Tile(fn=fn):
                whole = Numbers.where(">=", 1, True) & Numbers.where("<=", TILES[fn], True)
                return self._single(Value(self.key(expr, place), whole))
            case s.Path() if isinstance(meaning := self.meaning(expr, place), names.RuleValue):
                return self._rule_measure(meaning.ref, expr, place)
        return self._single(Value(self.key(expr, place)))

    def _rule_measure(self, ref: s.Ref, expr: s.Expr, place: Place) -> Measure:
        if ref not in self._metrics:
            rule = self.rule(ref)
            is_metric = isinstance(rule, s.Metric)
            own = self._single(Value(self.key(expr, place)))
            self._metrics[ref] = self.measure(rule.expr, Place()) if is_metric else own
        return self._metrics[ref]

    @staticmethod
    def _single(subject: Subject) -> Measure:
        return Measure(Fraction(1), subject, Fraction(0))

    def _arithmetic(self, node: s.Arithmetic, place: Place) -> Measure | None:
        left, right = self.measure(node.left, place), self.measure(node.right, place)
        match node.op:
            case "+":
                return left + right
            case "-":
                return left + right.times(Fraction(-1))
            case "*" if right.subject is None:
                return left.times(right.offset)
            case "*" if left.subject is None:
                return right.times(left.offset)
            case "/" if right.subject is None and right.offset:
                return left.times(1 / right.offset)
        return None

    # texts and flags

    def chosen(self, expr: s.Expr, kind: Type, place: Place) -> Value:
        """A text, a flag or an enum's value; only an ordered enum has no others than it declares, others may learn."""
        is_tag = isinstance(expr, s.Path) and isinstance(self.meaning(expr, place), names.RuleValue)
        domain: Values | None = EITHER_WAY if kind.kind == "bool" else None
        if kind.ordered or is_tag:
            domain = Choice.of(*map(nfkc, kind.values))
        key = self.key(expr, place)
        return Value((key, "text") if kind.kind == "any" else key, domain)

    # events

    def occasions(self, path: s.Path, place: Place) -> Tally:
        """The events that a recency counts from the first or last of."""
        match self.meaning(path, place):
            case names.Recency(events=ref):
                return self.tally("count", self.events(s.Step(ref)), self.moments.of_events(None))
        seen = Events(tuple((event_type, ALWAYS) for event_type in self._scope.catalog.seen_event_types()))
        return self.tally("count", seen, self.moments.of_events(None))

    def aggregated(self, node: s.Aggregate) -> Tally:
        """The events that take part, counted unless their days or values are."""
        keys = tuple(_text(key) for key in node.path.keys)
        events = self.events(s.Step(node.path.ref, node.where))
        if keys:
            events = Events(tuple((t, both(formula, value_known("event", keys))) for t, formula in events.of))
        kind: Literal["count", "days", "distinct"] = node.fn if node.fn in _TALLIES else "count"  # type: ignore[assignment]
        return self.tally(kind, events, self.moments.of_events(node.window), keys if kind == "distinct" else None)

    def tally(
        self, kind: Literal["count", "days", "distinct"], events: Events, span: Span, value: Hashable = None
    ) -> Tally:
        start, end = span
        most: float = self.moments.most_days(span) if kind == "days" else float("inf")
        if not events.of or self.moments.never_later(end, start):
            most = 0
        return Tally(kind, events, start, end, value, most)

    def events(self, step: s.Step) -> Events:
        """By type; those types left out of which no event can pass."""
        passing = [(t, formula) for t, formula in self._events(step).items() if not self._prover.refuted(formula)]
        return Events(tuple(sorted(passing, key=lambda item: item[0])))

    def _events(self, step: s.Step) -> dict[str, Formula]:
        found: dict[str, Formula] = self._defined(step.ref) if step.ref.version else {step.ref.name: ALWAYS}
        if step.where is None:
            return found
        passes = self._truth(step.where, self.inside(step)).true
        return {event_type: both(formula, passes) for event_type, formula in found.items()}

    def _defined(self, ref: s.Ref) -> dict[str, Formula]:
        if ref not in self._definitions:
            found: dict[str, Formula] = {}
            for part in self.rule(ref).steps:
                for event_type, formula in self._events(part).items():
                    found[event_type] = either(found.get(event_type, NEVER), formula)
            self._definitions[ref] = {
                event_type: looked_through(formula, says(Says((ref.name, ref.version)), TRULY))
                for event_type, formula in found.items()
            }
        return self._definitions[ref]

    def inside(self, step: s.Step) -> Place:
        return Place(StepScope(step.ref.name, names.event_types(step.ref, self._scope)))


def some(tally: Tally) -> Formula:
    return denied(none(tally))


def none(tally: Tally) -> Formula:
    return says(replace(tally, kind="count", value=None, most=0 if tally.most == 0 else float("inf")), NO)


def _tallied(tally: Tally, values: Numbers) -> Formula:
    """Distinct days or values there are where there are events."""
    if tally.kind != "count":
        left = tally.domain & values  # type: ignore[operator]
        if left == tally.domain & NO:  # type: ignore[operator]
            return none(tally)
        if left == tally.domain & ~NO:  # type: ignore[operator]
            return some(tally)
    return says(tally, values)


def value_known(owner: str, keys: tuple[str, ...]) -> Formula:
    """A value further on is known only where those before it are."""
    return both(*(says(Known((owner, *keys[: n + 1])), TRULY) for n in range(len(keys))))


def _text(key: s.Key | s.Text) -> str:
    return key.name if isinstance(key, s.Key) else key.value
