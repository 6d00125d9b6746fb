"""Compiles values, members of segments and events of a rule to nodes of the plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from quanyu.dsl import syntax as s
from quanyu.dsl.binding import names
from quanyu.dsl.binding.conditions import Conditions
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.calendar import windows
from quanyu.dsl.calendar.windows import Clock
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import Library
from quanyu.dsl.model.types import Type, nfkc
from quanyu.dsl.planning import literals, nodes
from quanyu.dsl.planning.literals import Instant, decimal_text
from quanyu.dsl.planning.scope import PlanScope, TimeRange
from quanyu.dsl.planning.state import CompilationState

_TILES = {"quintile": 5, "decile": 10, "percentile": 100}
_Wheres = dict[str, nodes.Cond | None]


class ValueCompiler:
    """Compiles values. `compile_condition` compiles the condition of a filter, a population or a tier."""

    def __init__(
        self,
        catalog: Catalog,
        library: Library,
        clock: Clock,
        compile_condition: Callable[[s.Cond, PlanScope], nodes.Cond],
    ) -> None:
        self.state = CompilationState()
        self.top = PlanScope(Scope(catalog, library), clock)
        self._compile_condition = compile_condition
        self._types = Conditions().expressions

    def type_of(self, node: s.Expr, scope: PlanScope) -> Type:
        """Returns the type of a value."""
        return self._types.bind(node, scope.names)[1]

    def instant_of(self, ms: int) -> Instant:
        """Returns an instant or duration as the plan holds it."""
        return literals.instant_of(ms, self.top.clock.as_of_ms)

    def instant_or_none(self, ms: int | None) -> Instant | None:
        """Returns an instant as the plan holds it; None is open."""
        return None if ms is None else self.instant_of(ms)

    # values

    def compile(self, node: s.Expr | s.Point, scope: PlanScope) -> nodes.Expr:
        """Compiles a value."""
        self.state.count_nodes(node)
        match node:
            case s.Path():
                return self._compile_path(node, scope)
            case s.Arithmetic(op=op, left=left, right=right):
                return nodes.Arithmetic(op, self.compile(left, scope), self.compile(right, scope))
            case s.Default(expr=expr, otherwise=otherwise):
                return nodes.Default(self.compile(expr, scope), self.compile(otherwise, scope))
            case s.Aggregate():
                return _of_person(self._compile_aggregate(node, scope.person()), scope)
            case s.Tile(fn=fn, expr=expr, among=among):
                ranked = self.compile(expr, scope)
                return nodes.Tile(_TILES[fn], ranked, self.compile_population(among, scope))
        return nodes.Literal(self.compile_literal(node, scope))

    def compile_literal(self, node: s.Node, scope: PlanScope) -> literals.Value:
        """Compiles a value that the rule states."""
        match node:
            case s.Number(value=number):
                return literals.NumberValue(decimal_text(number))
            case s.Percent():
                return literals.NumberValue(decimal_text(node.fraction))
            case s.Text(value=text):
                return literals.TextValue(nfkc(text))
            case s.Boolean(value=truth):
                return literals.BoolValue(truth)
            case s.Duration():
                return literals.DurationValue(node.ms)
            case s.Date(value=date):
                return literals.DateValue(windows.epoch_days(date))
            case s.DateTime():
                return literals.InstantValue(self.instant_of(windows.when_ms(node, scope.clock)))
            case s.Point(lat=lat, lon=lon):
                return literals.PointValue(float(lat), float(lon))
        raise TypeError(f"{type(node).__name__} is not a literal")

    def _compile_path(self, path: s.Path, scope: PlanScope) -> nodes.Expr:
        _, meaning = names.resolve(path, scope.names)
        match meaning:
            case names.EventChannel():
                return nodes.EventChannel()
            case names.Property(keys=keys):
                return _compile_property(path, keys, scope.event, scope.names)
            case names.Channels():
                return _of_person(nodes.Channels(), scope)
            case names.Attribute(field=declared, key=key):
                return _of_person(nodes.Attribute(declared.name, key), scope)
            case names.RuleValue(ref=ref):
                return _of_person(self._compile_rule_value(ref, scope), scope)
        return _of_person(nodes.Elapsed(self._compile_recency(path, scope)), scope)

    def _compile_recency(self, path: s.Path, scope: PlanScope) -> nodes.Aggregate:
        """Compiles the instant from which a recency counts."""
        _, meaning = names.resolve(path, scope.names)
        assert isinstance(meaning, (names.Seen, names.Recency))
        if isinstance(meaning, names.Seen):
            steps = tuple(nodes.EventStep(name, None) for name in scope.names.catalog.seen_event_types())
        else:
            steps = self.compile_steps([s.Step(meaning.events, span=path.span)], scope)
        events = nodes.Events(steps, None, self.instant_of(scope.clock.as_of_ms))
        return nodes.Aggregate("earliest" if meaning.first else "latest", events, None, None)

    def _compile_rule_value(self, ref: s.Ref, scope: PlanScope) -> nodes.Expr:
        rule = scope.names.rules.get(ref.name, ref.version or 1)
        outside, key = scope.person(), ("value", ref.name, ref.version)
        if isinstance(rule, s.Metric):
            expr = rule.expr
            return self.state.share(ref, scope, key, lambda: self.compile(expr, outside))
        assert isinstance(rule, s.Tag)
        return self.state.share(ref, scope, key, lambda: self._compile_tag(rule, outside))

    def _compile_tag(self, tag: s.Tag, scope: PlanScope) -> nodes.Expr:
        scope = scope.within_rule(tag.ref.name)
        tiers = [
            nodes.Tier(self._compile_condition(tier.cond, scope), self.compile_literal(tier.value, scope))
            for tier in tag.tiers
        ]
        return nodes.Case(tuple(tiers), self.compile_literal(tag.otherwise, scope) if tag.otherwise else None)

    def _compile_aggregate(self, node: s.Aggregate, scope: PlanScope) -> nodes.Aggregate:
        start, end = self.resolve_window(node.window, scope)
        events = self.compile_events(s.Step(node.path.ref, node.where, span=node.path.span), (start, end), scope)
        day_starts = None
        if node.fn == "days":
            key = ("days", start, end)
            day_starts = self.state.share(node, scope, key, lambda: tuple(windows.day_starts(start, end, scope.clock)))
        value = None
        if node.path.keys:
            keys = tuple(key.name if isinstance(key, s.Key) else key.value for key in node.path.keys)
            value = self.compile_property(node.path, keys, [step.type for step in events.steps], scope)
        return nodes.Aggregate(node.fn, events, value, day_starts)

    # segments

    def compile_population(self, ref: s.Ref | None, scope: PlanScope) -> nodes.Cond | None:
        """Compiles the population of a rank: the segment that it names, else the rule's own `among` (R6)."""
        return self.compile_members(ref, scope) if ref else scope.among

    def compile_members(self, ref: s.Ref, scope: PlanScope) -> nodes.Cond:
        """Compiles membership in a segment."""
        key = ("people", ref.name, ref.version)
        return self.state.share(ref, scope, key, lambda: nodes.Members(*self._compile_segment(ref, scope)))

    def compile_members_at(self, ref: s.Ref, as_of_ms: int, scope: PlanScope) -> nodes.Cond:
        """Compiles membership in a segment at an instant that is not after the scope's own (M7)."""
        then, key, as_of = scope.at(as_of_ms), ("at", ref.name, ref.version), self.instant_of(as_of_ms)
        return self.state.share(ref, then, key, lambda: nodes.MembersAt(as_of, *self._compile_segment(ref, then)))

    def _compile_segment(self, ref: s.Ref, scope: PlanScope) -> tuple[nodes.Cond, nodes.Cond | None]:
        segment = scope.names.rules.get(ref.name, ref.version or 1)
        assert isinstance(segment, s.Segment)
        inside = self.enter_segment(segment, scope)
        return self._compile_condition(segment.cond, inside), inside.among

    def enter_segment(self, segment: s.Segment, scope: PlanScope) -> PlanScope:
        """Returns the scope of a segment's condition, with the segment's own population."""
        among = self.compile_members(segment.among, scope) if segment.among else None
        return PlanScope(replace(scope.names, step=None, rule=segment.ref.name), scope.clock, among)

    # events

    def resolve_window(self, window: s.Window | None, scope: PlanScope) -> TimeRange:
        """Resolves and records a window over events or moves, cut at as-of (T1, M4)."""
        start, end = windows.resolve_event_window(window, scope.clock)
        if window is not None and not isinstance(window, s.Ever):
            self.state.record_window(format_rule(window), start, end)
        return start, end

    def compile_events(self, step: s.Step, time_range: TimeRange, scope: PlanScope) -> nodes.Events:
        """Compiles the events of a step that occurred in the range."""
        start, end = time_range
        return nodes.Events(self.compile_steps([step], scope), self.instant_or_none(start), self.instant_of(end))

    def compile_steps(self, steps: Sequence[s.Step], scope: PlanScope) -> tuple[nodes.EventStep, ...]:
        """Compiles the events of any of the steps, each type once; a definition is the union of its steps (E1)."""
        wheres = self._union(steps, scope)
        return tuple(nodes.EventStep(event_type, where) for event_type, where in wheres.items())

    def compile_property(
        self, path: s.Path, keys: tuple[str, ...], types: Sequence[str], scope: PlanScope
    ) -> nodes.Expr:
        """Compiles a property of events of these types. Each type may declare it differently."""
        found = [_compile_property(path, keys, event_type, scope.names) for event_type in types]
        if all(other == found[0] for other in found):
            return found[0]
        return nodes.ByType(tuple(nodes.TypeValue(*own) for own in zip(types, found, strict=True)))

    def _wheres_of(self, step: s.Step, scope: PlanScope) -> _Wheres:
        """Returns the filter of each event type of a step."""
        found = self._wheres_of_definition(step, scope)
        if step.where is None:
            return found
        inside = scope.names.for_person().for_events(step.ref)
        for event_type, where in found.items():
            own = self._compile_condition(step.where, PlanScope(inside, scope.clock, event=event_type))
            found[event_type] = own if where is None else nodes.AllOf((where, own))
        return found

    def _wheres_of_definition(self, step: s.Step, scope: PlanScope) -> _Wheres:
        rule = None if step.ref.version is None else scope.names.rules.get(step.ref.name, step.ref.version)
        if not isinstance(rule, s.Define):
            return {step.ref.name: None}
        key = ("steps", step.ref.name, step.ref.version)
        return dict(self.state.share(step, scope, key, lambda: self._union(rule.steps, scope)))

    def _union(self, steps: Sequence[s.Step], scope: PlanScope) -> _Wheres:
        union: _Wheres = {}
        for step in steps:
            for event_type, where in self._wheres_of(step, scope).items():
                union[event_type] = _either(union[event_type], where) if event_type in union else where
        return union


def _either(first: nodes.Cond | None, second: nodes.Cond | None) -> nodes.Cond | None:
    """Combines two filters of one event type; None passes every event."""
    if first is None or second is None:
        return None
    return first if first == second else nodes.AnyOf((first, second))


def _of_person(value: nodes.Expr, scope: PlanScope) -> nodes.Expr:
    return nodes.Person(value) if scope.names.step is not None else value


def _compile_property(path: s.Path, keys: tuple[str, ...], event_type: str, scope: Scope) -> nodes.Expr:
    if keys == ("channel",):
        return nodes.EventChannel()
    written = tuple(s.Key(key, span=path.span) for key in keys)
    (_, first), *rest = names.property_fields(written, event_type, scope)
    value: nodes.Expr = nodes.Property(first.name)
    for _, attribute in rest:
        assert first.reference is not None
        value = nodes.Lookup(first.reference, value, attribute.name)
        first = attribute
    return value
