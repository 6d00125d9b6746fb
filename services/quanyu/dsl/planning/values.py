"""Values, events and time of a rule as nodes of the plan message (docs/plan.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from quanyu.dsl import syntax as s
from quanyu.dsl.binding import names
from quanyu.dsl.binding.conditions import Conditions
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.calendar import windows
from quanyu.dsl.calendar.windows import Clock
from quanyu.dsl.errors import RuleError
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import Library
from quanyu.dsl.model.types import Type, nfkc

Json = dict[str, Any]
Span = tuple[int | None, int]
MAX_NODES = 100_000
_TILES = {"quintile": 5, "decile": 10, "percentile": 100}


@dataclass(frozen=True)
class Place:
    """Where a node of the plan stands.

    `clock`: the instant asked of. `among`: the rule's population (R6). `event`: the event type of a `where`.
    """

    scope: Scope
    clock: Clock
    among: Json | None = None
    event: str = ""

    def person(self) -> Place:
        """The scope of a value that is the same whoever asks (R5)."""
        return Place(self.scope.for_person(), self.clock)

    def at(self, as_of_ms: int) -> Place:
        """The same at another instant."""
        return Place(self.scope, replace(self.clock, as_of_ms=as_of_ms))


class Values:
    """`cond` compiles a condition: that of a `where`, a population or a tier.

    Shared rules are compiled once for each instant that they are asked of.
    """

    def __init__(self, catalog: Catalog, library: Library, clock: Clock, cond: Callable[[Any, Place], Json]) -> None:
        self.windows: dict[tuple[str, int | None, int | None], None] = {}
        self.top = Place(Scope(catalog, library), clock)
        self._cond = cond
        self._types = Conditions().expressions
        self._shared: dict[tuple[Any, ...], tuple[Any, int]] = {}
        self._size = 0

    def grow(self, node: s.Node, nodes: int = 1) -> None:
        self._size += nodes
        if self._size > MAX_NODES:
            raise RuleError.at(node.span, "limit", f"with all that it uses the rule has more than {MAX_NODES} parts")

    def shared(self, node: s.Node, place: Place, key: tuple[Any, ...], build: Callable[[], Any]) -> Any:
        """Built once an instant; its size still counts wherever it stands, since the plan spells it out."""
        key = (*key, type(place.clock.as_of_ms), place.clock.as_of_ms)
        if key in self._shared:
            built, size = self._shared[key]
            self.grow(node, size)
            return built
        before = self._size
        built = build()
        self._shared[key] = built, self._size - before
        return built

    def echo(self, text: str, start: int | None, end: int | None) -> None:
        """Every answer says which instants its windows resolved to (T0)."""
        self.windows[text, start, end] = None

    def type_of(self, node: s.Expr, place: Place) -> Type:
        return self._types.bind(node, place.scope)[1]

    # values

    def value(self, node: s.Expr | s.Point, place: Place) -> Json:
        self.grow(node)
        match node:
            case s.Path():
                return self._path(node, place)
            case s.Arithmetic(op=op, left=left, right=right):
                return {"op": "arith", "fn": op, "left": self.value(left, place), "right": self.value(right, place)}
            case s.Default(expr=expr, otherwise=otherwise):
                return {
                    "op": "default",
                    "expr": self.value(expr, place),
                    "otherwise": self.value(otherwise, place),
                }
            case s.Aggregate():
                return _of_person(self._aggregate(node, place.person()), place)
            case s.Tile(fn=fn, expr=expr, among=among):
                ranked, population = self.value(expr, place), self.population(among, place)
                return {"op": "tile", "k": _TILES[fn], "expr": ranked, "population": population}
        return {"op": "literal", "value": self.literal(node, place)}

    def literal(self, node: s.Node, place: Place) -> Json:
        match node:
            case s.Number(value=number):
                return {"num": decimal_text(number)}
            case s.Percent():
                return {"num": decimal_text(node.fraction)}
            case s.Text(value=text):
                return {"text": nfkc(text)}
            case s.Boolean(value=truth):
                return {"bool": truth}
            case s.Duration():
                return {"duration": node.ms}
            case s.Date(value=date):
                return {"date": windows.epoch_days(date)}
            case s.DateTime():
                return {"instant": windows.when_ms(node, place.clock)}
            case s.Point(lat=lat, lon=lon):
                return {"point": [float(lat), float(lon)]}
        raise TypeError(f"{type(node).__name__} is no literal")

    def _path(self, path: s.Path, place: Place) -> Json:
        _, meaning = names.resolve(path, place.scope)
        match meaning:
            case names.EventChannel():
                return {"op": "event_channel"}
            case names.Property(keys=keys):
                return _property(path, keys, place.event, place.scope)
            case names.Channels():
                return _of_person({"op": "channels"}, place)
            case names.Attribute(field=declared, key=key):
                return _of_person({"op": "attribute", "name": declared.name, "key": key}, place)
            case names.RuleValue(ref=ref):
                return _of_person(self._rule_value(ref, place), place)
        return _of_person({"op": "elapsed", "of": self.moment(path, place)}, place)

    def moment(self, path: s.Path, place: Place) -> Json:
        """The instant that a recency counts from."""
        _, meaning = names.resolve(path, place.scope)
        assert isinstance(meaning, (names.Seen, names.Recency))
        if isinstance(meaning, names.Seen):
            steps: list[Json] = [{"type": t, "where": None} for t in place.scope.catalog.seen_event_types()]
        else:
            steps = self.steps(s.Step(meaning.events, span=path.span), place)
        events = {"steps": steps, "from": None, "to": place.clock.as_of_ms}
        fn = "earliest" if meaning.first else "latest"
        return {"op": "aggregate", "fn": fn, "events": events, "value": None, "day_starts": None}

    def _rule_value(self, ref: s.Ref, place: Place) -> Json:
        rule = place.scope.rules.get(ref.name, ref.version or 1)
        outside = place.person()
        if isinstance(rule, s.Metric):
            expr = rule.expr
            metric: Json = self.shared(ref, place, ("value", ref.name, ref.version), lambda: self.value(expr, outside))
            return metric
        assert isinstance(rule, s.Tag)
        tag: Json = self.shared(ref, place, ("value", ref.name, ref.version), lambda: self._tag(rule, outside))
        return tag

    def _tag(self, tag: s.Tag, place: Place) -> Json:
        place = replace(place, scope=replace(place.scope, rule=tag.ref.name))
        tiers = [{"when": self._cond(tier.cond, place), "value": self.literal(tier.value, place)} for tier in tag.tiers]
        otherwise = self.literal(tag.otherwise, place) if tag.otherwise else None
        return {"op": "case", "tiers": tiers, "otherwise": otherwise}

    def _aggregate(self, node: s.Aggregate, place: Place) -> Json:
        step = s.Step(node.path.ref, node.where, span=node.path.span)
        events = self.events(step, self.span(node.window, place), place)
        starts = None
        if node.fn == "days":
            start, end = events["from"], events["to"]
            starts = self.shared(node, place, ("days", start, end), lambda: windows.day_starts(start, end, place.clock))
        value = None
        if node.path.keys:
            keys = tuple(key.name if isinstance(key, s.Key) else key.value for key in node.path.keys)
            value = self.property(node.path, keys, [step["type"] for step in events["steps"]], place)
        return {"op": "aggregate", "fn": node.fn, "events": events, "value": value, "day_starts": starts}

    # people

    def population(self, ref: s.Ref | None, place: Place) -> Json | None:
        """Of a rank: the segment named, else the rule's own among (R6)."""
        return self.people(ref, place) if ref else place.among

    def people(self, ref: s.Ref, place: Place) -> Json:
        """A segment as a set of people."""
        key = ("people", ref.name, ref.version)
        found: Json = self.shared(ref, place, key, lambda: {"op": "set", **self._segment(ref, place)})
        return found

    def people_at(self, ref: s.Ref, as_of_ms: int, place: Place) -> Json:
        """Those who were in the segment at an instant, which is not after the one asked of (M7)."""
        then, key = place.at(as_of_ms), ("at", ref.name, ref.version)
        found: Json = self.shared(ref, then, key, lambda: {"op": "at", "as_of": as_of_ms, **self._segment(ref, then)})
        return found

    def _segment(self, ref: s.Ref, place: Place) -> Json:
        segment = place.scope.rules.get(ref.name, ref.version or 1)
        assert isinstance(segment, s.Segment)
        inside, among = self.inside(segment, place)
        return {"of": self._cond(segment.cond, inside), "among": among}

    def inside(self, segment: s.Segment, place: Place) -> tuple[Place, Json | None]:
        among = self.people(segment.among, place) if segment.among else None
        scope = replace(place.scope, step=None, rule=segment.ref.name)
        return Place(scope, place.clock, among), among

    # events

    def span(self, window: s.Window | None, place: Place) -> Span:
        """The instants of a window over events or moves, cut at as-of (T1, M4), and echoed."""
        start, end = windows.resolve_event_window(window, place.clock)
        if window is not None and not isinstance(window, s.Ever):
            self.echo(format_rule(window), start, end)
        return start, end

    def events(self, step: s.Step, span: Span, place: Place) -> Json:
        return {"steps": self.steps(step, place), "from": span[0], "to": span[1]}

    def steps(self, step: s.Step, place: Place) -> list[Json]:
        """The step's events by type, each type once: a definition is the union of its steps (E1)."""
        return self.any_step([step], place)

    def any_step(self, steps: Sequence[s.Step], place: Place) -> list[Json]:
        """The events of any of the steps, each type once."""
        wheres = self._union(steps, place)
        return [{"type": event_type, "where": where} for event_type, where in wheres.items()]

    def property(self, path: s.Path, keys: tuple[str, ...], types: Sequence[str], place: Place) -> Json:
        """A property of events of these types, which may keep it under different names."""
        found = [_property(path, keys, event_type, place.scope) for event_type in types]
        if all(other == found[0] for other in found):
            return found[0]
        own = [{"type": event_type, "value": value} for event_type, value in zip(types, found, strict=True)]
        return {"op": "by_type", "of": own}

    def _wheres(self, step: s.Step, place: Place) -> dict[str, Json | None]:
        found = self._unfiltered(step, place)
        if step.where is None:
            return found
        scope = place.scope.for_person().for_events(step.ref)
        for event_type, where in found.items():
            own = self._cond(step.where, Place(scope, place.clock, event=event_type))
            found[event_type] = own if where is None else {"op": "all", "of": [where, own]}
        return found

    def _unfiltered(self, step: s.Step, place: Place) -> dict[str, Json | None]:
        rule = None if step.ref.version is None else place.scope.rules.get(step.ref.name, step.ref.version)
        if not isinstance(rule, s.Define):
            return {step.ref.name: None}
        key = ("steps", step.ref.name, step.ref.version)
        found: dict[str, Json | None] = self.shared(step, place, key, lambda: self._union(rule.steps, place))
        return dict(found)

    def _union(self, steps: Sequence[s.Step], place: Place) -> dict[str, Json | None]:
        union: dict[str, Json | None] = {}
        for step in steps:
            for event_type, where in self._wheres(step, place).items():
                other = union.get(event_type, where)
                unfiltered = where is None or (event_type in union and other is None)
                either = where if other == where else {"op": "any", "of": [other, where]}
                union[event_type] = None if unfiltered else either
        return union


def _of_person(value: Json, place: Place) -> Json:
    return {"op": "person", "expr": value} if place.scope.step is not None else value


def _property(path: s.Path, keys: tuple[str, ...], event_type: str, scope: Scope) -> Json:
    if keys == ("channel",):
        return {"op": "event_channel"}
    written = tuple(s.Key(key, span=path.span) for key in keys)
    (_, first), *rest = names.property_fields(written, event_type, scope)
    value: Json = {"op": "property", "name": first.name}
    for _, attribute in rest:
        value = {"op": "lookup", "catalog": first.reference, "key": value, "attribute": attribute.name}
        first = attribute
    return value


def decimal_text(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
