"""Encodes values: their variables, when they are known, and how they depend on events."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

from quanyu.dsl import syntax as s
from quanyu.dsl.binding import names, references
from quanyu.dsl.binding.conditions import Conditions
from quanyu.dsl.binding.references import Scope, StepScope
from quanyu.dsl.calendar.windows import Clock
from quanyu.dsl.linting.proving.formulas import (
    FALSE,
    TRUE,
    Formula,
    Truth,
    Variable,
    atom,
    conjunction,
    disjunction,
    inline_or_name,
    negation,
)
from quanyu.dsl.linting.proving.prover import Prover
from quanyu.dsl.linting.proving.timeline import Span, Timeline
from quanyu.dsl.linting.proving.value_sets import (
    BOOLEANS,
    IS_TRUE,
    DiscreteSet,
    IntervalSet,
    ValueSet,
)
from quanyu.dsl.linting.proving.variables import (
    BooleanVariable,
    EventSet,
    Known,
    Tally,
    ValueVariable,
)
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import Rules
from quanyu.dsl.model.types import NUMBER, UNTYPED, Type, nfkc

TILE_COUNTS = {"quintile": 5, "decile": 10, "percentile": 100}
NO = IntervalSet.comparing("=", 0, whole=True)
_TALLIES = ("count", "days", "distinct")


@dataclass(frozen=True)
class Site:
    """The place of an expression in a rule: inside the `where` of a step, inside a rule with a population."""

    step: StepScope | None = None
    among: s.Ref | None = None
    rule: str | None = None


@dataclass(frozen=True)
class LinearForm:
    """The number `factor * variable + offset`, or only `offset` without a variable."""

    factor: Fraction
    variable: Variable | None
    offset: Fraction

    def __add__(self, other: LinearForm) -> LinearForm | None:
        """Returns None for two different variables."""
        if self.variable and other.variable and self.variable != other.variable:
            return None
        factor = self.factor + other.factor
        return LinearForm(factor, (self.variable or other.variable) if factor else None, self.offset + other.offset)

    def times(self, number: Fraction) -> LinearForm:
        return LinearForm(self.factor * number, self.variable if number else None, self.offset * number)


class ValueEncoder:
    """`encode` encodes the condition of a `where`, a tier or a segment."""

    def __init__(
        self,
        catalog: Catalog,
        rules: Rules,
        clock: Clock,
        timeline: Timeline,
        prover: Prover,
        encode: Callable[[s.Cond, Site], Truth],
    ) -> None:
        self._scope = Scope(catalog, rules)
        self.clock, self.timeline, self._prover, self._encode = clock, timeline, prover, encode
        self._types = Conditions().expressions
        self._metric_forms: dict[s.Ref, LinearForm] = {}
        self._metrics_known: dict[tuple[s.Ref, Type], Formula] = {}
        self._definitions: dict[s.Ref, dict[str, Formula]] = {}

    def rule(self, ref: s.Ref) -> Any:
        return self._scope.rules.get(ref.name, ref.version or 1)

    def type_of(self, expr: s.Expr, site: Site) -> Type:
        return self._types.bind(expr, self.scope(site))[1]

    def scope(self, site: Site) -> Scope:
        return replace(self._scope, step=site.step, rule=site.rule)

    def meaning(self, path: s.Path, site: Site) -> names.Meaning:
        return names.resolve(path, self.scope(site))[1]

    # names

    def key(self, expr: s.Expr | s.Point, site: Site) -> Hashable:
        """Returns a key that is equal for expressions with equal values for every person."""
        match expr:
            case s.Path():
                return self._path_key(expr, site)
            case s.Aggregate(fn=fn):
                value = tuple(_text(key) for key in expr.path.keys)
                return (fn, self.aggregate_tally(expr), value)
            case s.Tile(fn=fn, expr=ranked, among=among):
                return (fn, self.key(ranked, site), among or site.among)
            case s.Arithmetic(op=op, left=left, right=right):
                return (op, self.key(left, site), self.key(right, site))
            case s.Default(expr=inner, otherwise=otherwise):
                return ("default", self.key(inner, site), self.key(otherwise, site))
        return expr

    def _path_key(self, path: s.Path, site: Site) -> Hashable:
        match self.meaning(path, site):
            case names.EventChannel():
                return ("event", "channel")
            case names.Property(keys=keys):
                return ("event", *keys)
            case names.Attribute(field=declared, key=key):
                return ("person", declared.name) if key is None else ("person", declared.name, key)
            case names.RuleValue(ref=ref):
                rule = self.rule(ref)
                if isinstance(rule, s.Metric) and not isinstance(rule.expr, (s.Arithmetic, s.Default)):
                    return self.key(rule.expr, Site())
                return ("person", ref.name, ref.version)
            case names.Seen(first=first) | names.Recency(first=first):
                return ("earliest" if first else "latest", self.recency_events(path, site), ())
        return ("person", "channel")

    # what is known

    def known(self, expr: s.Expr | s.Point, site: Site, beside: Type = UNTYPED) -> Formula:
        """Returns the formula for a known value.

        `beside` is the type of the other side: an entry of a map that has another type is unknown.
        """
        match expr:
            case s.Path():
                return self._path_known(expr, site, beside)
            case s.Arithmetic(op=op, left=left, right=right):
                divides = negation(self.number_atom(right, IntervalSet.comparing("=", 0), site)) if op == "/" else TRUE
                return conjunction(self.known(left, site, NUMBER), self.known(right, site, NUMBER), divides)
            case s.Default(expr=inner, otherwise=otherwise):
                beside = beside if beside.kind != "any" else self.type_of(expr, site)
                return disjunction(self.known(inner, site, beside), self.known(otherwise, site, beside))
            case s.Aggregate(fn=fn) if fn not in (*_TALLIES, "sum"):
                return some_events(self.aggregate_tally(expr))
            case s.Tile(expr=ranked, among=among):
                return conjunction(self.population(among, site), self.known(ranked, site, NUMBER))
        return TRUE

    def _path_known(self, path: s.Path, site: Site, beside: Type) -> Formula:
        match self.meaning(path, site):
            case names.Channels():
                return TRUE
            case names.EventChannel():
                return atom(Known(("event", "channel")), IS_TRUE)
            case names.Property(keys=keys):
                return path_known("event", keys)
            case names.Attribute(field=declared, key=None):
                return path_known("person", (declared.name,))
            case names.Attribute(field=declared, key=str() as key):
                known = path_known("person", (declared.name, key))
                family = "number" if beside.numeric else beside.family
                is_typed = atom(Known(("person", declared.name, key, family)), IS_TRUE)
                return known if beside.kind == "any" else conjunction(known, is_typed)
            case names.RuleValue(ref=ref):
                return self._rule_known(ref, beside)
        return some_events(self.recency_events(path, site))

    def _rule_known(self, ref: s.Ref, beside: Type) -> Formula:
        rule, name = self.rule(ref), atom(Known((ref.name, ref.version, beside)), IS_TRUE)
        if isinstance(rule, s.Tag):
            return TRUE if rule.otherwise else name
        if (ref, beside) not in self._metrics_known:
            self._metrics_known[ref, beside] = inline_or_name(self.known(rule.expr, Site(), beside), name)
        return self._metrics_known[ref, beside]

    def population(self, ref: s.Ref | None, site: Site) -> Formula:
        """Returns the population of a rank (R6). The rule already excludes people outside its own population."""
        return self._encode(s.InSegment(ref), Site()).true if ref else TRUE

    # numbers

    def number_atom(self, expr: s.Expr, values: IntervalSet, site: Site) -> Formula:
        """Returns the formula for a known number in these intervals."""
        return self.linear_atom(self.linear_form(expr, site), values)

    def linear_atom(self, linear_form: LinearForm, values: IntervalSet) -> Formula:
        factor, variable, offset = linear_form.factor, linear_form.variable, linear_form.offset
        if variable is None:
            return TRUE if values & IntervalSet.comparing("=", offset) else FALSE
        domain = variable.domain
        preimage = values.preimage(factor, offset, isinstance(domain, IntervalSet) and domain.whole)
        if isinstance(variable, Tally):
            return _tallied(variable, preimage)
        found = atom(variable, preimage)
        if isinstance(variable, ValueVariable) and isinstance(variable.key, tuple) and variable.key[0] == "sum":
            return (
                found if preimage & IntervalSet.comparing("=", 0) else conjunction(found, some_events(variable.key[1]))
            )
        return found

    def linear_form(self, expr: s.Expr, site: Site) -> LinearForm:
        match expr:
            case s.Number(value=number):
                return LinearForm(Fraction(0), None, Fraction(number))
            case s.Percent(fraction=number):
                return LinearForm(Fraction(0), None, Fraction(number))
            case s.Arithmetic():
                return self._arithmetic_form(expr, site) or self._single(ValueVariable(self.key(expr, site)))
            case s.Aggregate(fn=fn) if fn in _TALLIES:
                return self._single(self.aggregate_tally(expr))
            case s.Tile(fn=fn):
                whole = IntervalSet.comparing(">=", 1, True) & IntervalSet.comparing("<=", TILE_COUNTS[fn], True)
                return self._single(ValueVariable(self.key(expr, site), whole))
            case s.Path() if isinstance(meaning := self.meaning(expr, site), names.RuleValue):
                return self._rule_form(meaning.ref, expr, site)
        return self._single(ValueVariable(self.key(expr, site)))

    def _rule_form(self, ref: s.Ref, expr: s.Expr, site: Site) -> LinearForm:
        if ref not in self._metric_forms:
            rule = self.rule(ref)
            is_metric = isinstance(rule, s.Metric)
            own = self._single(ValueVariable(self.key(expr, site)))
            self._metric_forms[ref] = self.linear_form(rule.expr, Site()) if is_metric else own
        return self._metric_forms[ref]

    @staticmethod
    def _single(variable: Variable) -> LinearForm:
        return LinearForm(Fraction(1), variable, Fraction(0))

    def _arithmetic_form(self, node: s.Arithmetic, site: Site) -> LinearForm | None:
        left, right = self.linear_form(node.left, site), self.linear_form(node.right, site)
        match node.op:
            case "+":
                return left + right
            case "-":
                return left + right.times(Fraction(-1))
            case "*" if right.variable is None:
                return left.times(right.offset)
            case "*" if left.variable is None:
                return right.times(left.offset)
            case "/" if right.variable is None and right.offset:
                return left.times(1 / right.offset)
        return None

    # texts and flags

    def discrete_value(self, expr: s.Expr, kind: Type, site: Site) -> ValueVariable:
        """Returns the variable of a text, flag or enum. Only ordered enums and tags have a closed set of values."""
        is_tag = isinstance(expr, s.Path) and isinstance(self.meaning(expr, site), names.RuleValue)
        domain: ValueSet | None = BOOLEANS if kind.kind == "bool" else None
        if kind.ordered or is_tag:
            domain = DiscreteSet.of(*map(nfkc, kind.values))
        key = self.key(expr, site)
        return ValueVariable((key, "text") if kind.kind == "any" else key, domain)

    # events

    def recency_events(self, path: s.Path, site: Site) -> Tally:
        """Returns the tally of the events whose first or last one a recency measures from."""
        match self.meaning(path, site):
            case names.Recency(events=ref):
                return self.make_tally("count", self.event_set(s.Step(ref)), self.timeline.event_span(None))
        seen = EventSet(tuple((event_type, TRUE) for event_type in self._scope.catalog.seen_event_types()))
        return self.make_tally("count", seen, self.timeline.event_span(None))

    def aggregate_tally(self, node: s.Aggregate) -> Tally:
        """Returns the tally of the events that an aggregate covers: their number, days or distinct values."""
        keys = tuple(_text(key) for key in node.path.keys)
        events = self.event_set(s.Step(node.path.ref, node.where))
        if keys:
            events = EventSet(tuple((t, conjunction(formula, path_known("event", keys))) for t, formula in events.of))
        kind: Literal["count", "days", "distinct"] = node.fn if node.fn in _TALLIES else "count"  # type: ignore[assignment]
        return self.make_tally(
            kind, events, self.timeline.event_span(node.window), keys if kind == "distinct" else None
        )

    def make_tally(
        self, kind: Literal["count", "days", "distinct"], events: EventSet, span: Span, value: Hashable = None
    ) -> Tally:
        start, end = span
        limit: float = self.timeline.max_days(span) if kind == "days" else float("inf")
        if not events.of or self.timeline.is_never_later(end, start):
            limit = 0
        return Tally(kind, events, start, end, value, limit)

    def event_set(self, step: s.Step) -> EventSet:
        """Returns the events of a step by type, without the types whose events cannot pass."""
        passing = [(t, formula) for t, formula in self._events(step).items() if not self._prover.is_refuted(formula)]
        return EventSet(tuple(sorted(passing, key=lambda item: item[0])))

    def _events(self, step: s.Step) -> dict[str, Formula]:
        found: dict[str, Formula] = self._defined(step.ref) if step.ref.version else {step.ref.name: TRUE}
        if step.where is None:
            return found
        passes = self._encode(step.where, self.site_inside(step)).true
        return {event_type: conjunction(formula, passes) for event_type, formula in found.items()}

    def _defined(self, ref: s.Ref) -> dict[str, Formula]:
        if ref not in self._definitions:
            found: dict[str, Formula] = {}
            for part in self.rule(ref).steps:
                for event_type, formula in self._events(part).items():
                    found[event_type] = disjunction(found.get(event_type, FALSE), formula)
            self._definitions[ref] = {
                event_type: inline_or_name(formula, atom(BooleanVariable((ref.name, ref.version)), IS_TRUE))
                for event_type, formula in found.items()
            }
        return self._definitions[ref]

    def site_inside(self, step: s.Step) -> Site:
        return Site(StepScope(step.ref.name, references.event_types(step.ref, self._scope)))


def some_events(tally: Tally) -> Formula:
    return negation(no_events(tally))


def no_events(tally: Tally) -> Formula:
    return atom(replace(tally, kind="count", value=None, limit=0 if tally.limit == 0 else float("inf")), NO)


def _tallied(tally: Tally, values: IntervalSet) -> Formula:
    """Replaces tallies of days or values by counts where that is equivalent."""
    if tally.kind != "count":
        left = tally.domain & values  # type: ignore[operator]
        if left == tally.domain & NO:  # type: ignore[operator]
            return no_events(tally)
        if left == tally.domain & ~NO:  # type: ignore[operator]
            return some_events(tally)
    return atom(tally, values)


def path_known(owner: str, keys: tuple[str, ...]) -> Formula:
    """Returns the formula for a known path: a later value is known only if the earlier ones are."""
    return conjunction(*(atom(Known((owner, *keys[: n + 1])), IS_TRUE) for n in range(len(keys))))


def _text(key: s.Key | s.Text) -> str:
    return key.name if isinstance(key, s.Key) else key.value
