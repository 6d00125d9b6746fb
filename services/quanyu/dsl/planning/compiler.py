"""Bound rules at an instant to the plan message (docs/plan.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from quanyu.dsl import syntax as s
from quanyu.dsl.binding.checker import versions_of
from quanyu.dsl.binding.conditions import order_error
from quanyu.dsl.calendar import windows
from quanyu.dsl.calendar.relative_time import resolvable
from quanyu.dsl.calendar.windows import Clock, Instants
from quanyu.dsl.errors import RuleError, attach_text
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import BoundRules, Library
from quanyu.dsl.model.types import Type, common_order, nfkc
from quanyu.dsl.planning.happenings import Happenings
from quanyu.dsl.planning.memberships import membership
from quanyu.dsl.planning.values import (
    Json,
    Place,
    Values,
    decimal_text,
)

_FLIPPED: dict[str, s.ComparisonOperator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_TEXT_TESTS: dict[type[s.Node], str] = {
    s.Contains: "contains",
    s.StartsWith: "starts_with",
    s.EndsWith: "ends_with",
}


@dataclass(frozen=True)
class ResolvedWindow:
    """A window of the rule, as canonical text, and the instants it resolved to: from <= t < to; None is open.

    An instant (`was in segment s 30d ago`) is both its ends.
    """

    text: str
    from_ms: int | None
    to_ms: int | None


@dataclass(frozen=True)
class CompiledRule:
    """`roots` of a plan; a tag has one per tier and one for its `else`, in `values` what each gives.

    `clauses`: canonical text of each top-level clause of the one root; of a tag, of each root.
    """

    roots: list[Json]
    windows: list[ResolvedWindow]
    clauses: list[str]
    versions: list[str]
    values: tuple[str, ...] = ()


def compile_condition(
    condition: s.Cond | BoundRules, library: Library, catalog: Catalog, clock: Clock, name: str = "preview"
) -> CompiledRule:
    """A bound condition that stands alone, over the universe (X3)."""
    with attach_text(condition.text if isinstance(condition, BoundRules) else ""):
        cond = condition.condition if isinstance(condition, BoundRules) else condition
        if cond is None:
            raise RuleError("here stands a lone condition, not statements", 1, 1, "scope")
        compiler = _Compiler(catalog, library, clock)
        root = compiler.root(name, cond, compiler.values.top, None)
        return compiler.result([root], clauses_of(cond), [cond])


def compile_segment(name: str, version: int, library: Library, catalog: Catalog, clock: Clock) -> CompiledRule:
    """A published segment. RuleError (reason "version") if there is none."""
    segment = library.get(name, version)
    if not isinstance(segment, s.Segment):
        raise RuleError(f"there is no segment {name}@{version}", 1, 1, "version")
    with attach_text(format_rule(segment)):
        compiler = _Compiler(catalog, library, clock)
        place, among = compiler.values.inside(segment, compiler.values.top)
        root = compiler.root(f"{name}@{version}", segment.cond, place, among)
        return compiler.result([root], clauses_of(segment.cond), [segment])


def compile_tag(name: str, version: int, library: Library, catalog: Catalog, clock: Clock) -> CompiledRule:
    """A published tag: a root per tier with those whose value it gives, disjoint; what no tier takes is `else`."""
    tag = library.get(name, version)
    if not isinstance(tag, s.Tag):
        raise RuleError(f"there is no tag {name}@{version}", 1, 1, "version")
    with attach_text(format_rule(tag)):
        compiler = _Compiler(catalog, library, clock)
        place = replace(compiler.values.top, scope=replace(compiler.values.top.scope, rule=name))
        tiers = [compiler.cond(tier.cond, place) for tier in tag.tiers]
        values = [tier.value for tier in tag.tiers]
        clauses = [f"{format_rule(tier.value)} when {format_rule(tier.cond)}" for tier in tag.tiers]
        conds = [_first_match(tiers[:n], tier) for n, tier in enumerate(tiers)]
        if tag.otherwise is not None:
            conds.append(_first_match(tiers, {"op": "constant", "value": True}))
            values.append(tag.otherwise)
            clauses.append(f"else {format_rule(tag.otherwise)}")
        texts = tuple(value.value if isinstance(value, s.Text) else format_rule(value) for value in values)
        roots = [
            {"name": f"{name}@{version}: {text}", "cond": _one_clause(cond), "among": None}
            for text, cond in zip(texts, conds, strict=True)
        ]
        return replace(compiler.result(roots, clauses, [tag]), values=texts)


def plan(as_of_ms: int, *compiled: CompiledRule) -> bytes:
    """The plan message: the roots of all rules in order."""
    return plan_of_roots(as_of_ms, [root for rule in compiled for root in rule.roots])


def plan_of_roots(as_of_ms: int, roots: Sequence[Json]) -> bytes:
    """The plan message of roots compiled at that instant, or made of such roots."""
    return _json({"as_of": as_of_ms, "roots": list(roots)})


def _json(message: Json) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def standing_root(
    name: str, version: int, library: Library, catalog: Catalog, clock: Clock
) -> tuple[bytes, int | None]:
    """A published segment's root, with instants that move with as-of, and for how many milliseconds it stands."""
    moving = clock.moving()
    (root,) = compile_segment(name, version, library, catalog, moving).roots
    return _json(resolvable(root, clock.as_of_ms)), moving.standing.ms


def standing_plan(as_of_ms: int, roots: Iterable[bytes]) -> bytes:
    """The plan message of standing roots, at an instant at which they stand."""
    return b'{"as_of":%d,"roots":[%s]}' % (as_of_ms, b",".join(roots))


class Parts:
    """Conditions and values of a rule, each as it stands there: of a segment with its among, or over the universe."""

    def __init__(self, segment: s.Segment | None, library: Library, catalog: Catalog, clock: Clock) -> None:
        self._segment, self._library, self._catalog, self._clock = segment, library, catalog, clock

    def root(self, cond: s.Cond) -> Json:
        compiler, place, among = self._fresh(self._clock)
        return compiler.root(format_rule(cond), cond, place, among)

    def moving_root(self, cond: s.Cond) -> tuple[Json, int | None]:
        """With instants that move with as-of, and for how many milliseconds it stands."""
        moving = self._clock.moving()
        compiler, place, among = self._fresh(moving)
        root = resolvable(compiler.root(format_rule(cond), cond, place, among), self._clock.as_of_ms)
        return root, moving.standing.ms

    def population(self) -> Json:
        """A root that is true of those whom the rule is about."""
        return {"name": "population", "cond": {"op": "constant", "value": True}, "among": self._fresh(self._clock)[2]}

    def value(self, expr: s.Expr) -> tuple[Json, Type]:
        compiler, place, _ = self._fresh(self._clock)
        return compiler.values.value(expr, place), compiler.values.type_of(expr, place)

    def _fresh(self, clock: Clock) -> tuple[_Compiler, Place, Json | None]:
        # One for each part: that the same stands in several is no reason to find the rule too large.
        compiler = _Compiler(self._catalog, self._library, clock)
        if self._segment is None:
            return compiler, compiler.values.top, None
        return compiler, *compiler.values.inside(self._segment, compiler.values.top)


def clauses_of(cond: s.Cond) -> list[str]:
    """The texts of what the engine counts one by one."""
    parts: Sequence[s.Cond] = cond.operands if isinstance(cond, (s.AllOf, s.AnyOf)) else (cond,)
    return [format_rule(part) for part in parts]


def _first_match(earlier: list[Json], tier: Json) -> Json:
    """True where the tier is and no earlier one; an unknown tier is passed over (G7)."""
    if not earlier:
        return tier
    passed = [{"op": "or_unknown", "of": {"op": "not", "of": other}} for other in earlier]
    return {"op": "all", "of": [tier, *passed]}


def _one_clause(cond: Json) -> Json:
    """The engine counts each part of a root's `all` or `any`; this is one clause, however it is spelled out."""
    return {"op": "all", "of": [cond]} if cond["op"] in ("all", "any") else cond


class _Compiler:
    def __init__(self, catalog: Catalog, library: Library, clock: Clock) -> None:
        self._catalog, self._library = catalog, library
        self.values = Values(catalog, library, clock, self.cond)
        self._happenings = Happenings(self.values)

    def root(self, name: str, cond: s.Cond, place: Place, among: Json | None) -> Json:
        compiled = self.cond(cond, place)
        written = isinstance(cond, (s.AllOf, s.AnyOf))
        return {"name": name, "cond": compiled if written else _one_clause(compiled), "among": among}

    def result(self, roots: list[Json], clauses: list[str], nodes: list[s.Node]) -> CompiledRule:
        resolved = [ResolvedWindow(*window) for window in self.values.windows]
        return CompiledRule(roots, resolved, clauses, list(versions_of(nodes, self._catalog, self._library)))

    def cond(self, node: s.Cond, place: Place) -> Json:
        self.values.grow(node)
        denied = s.strip_not(node)
        if denied is not None:
            return _not(self.cond(denied, place))
        value = self.values.value
        match node:
            case s.AllOf(operands=parts):
                return {"op": "all", "of": [self.cond(part, place) for part in parts]}
            case s.AnyOf(operands=parts):
                return {"op": "any", "of": [self.cond(part, place) for part in parts]}
            case s.Not(operand=inner):
                return _not(self.cond(inner, place))
            case s.IncludingUnknown(operand=inner):
                return {"op": "or_unknown", "of": self.cond(inner, place)}
            case s.Compare():
                return self._compare(node, place)
            case s.Between():
                return self._between(node, place)
            case s.BetweenAgo(expr=expr, low=s.Duration() as low, high=s.Duration() as high):
                return self._lies(node, expr, windows.between_ago(low, high, place.clock), place)
            case s.InWindow(expr=expr, window=window):
                return self._in_time(node, expr, window, place)
            case s.InList(expr=expr, items=items):
                return {"op": "in", "expr": value(expr, place), "items": [value(item, place) for item in items]}
            case s.HasAny() | s.HasAll() | s.HasNone():
                mode = {s.HasAny: "any", s.HasAll: "all", s.HasNone: "none"}[type(node)]
                items_ = [value(item, place) for item in node.items]
                return {"op": "has", "mode": mode, "expr": value(node.expr, place), "items": items_}
            case s.Matches(expr=expr, value=s.Text(value=pattern)):
                return {"op": "text", "test": "matches", "expr": value(expr, place), "value": pattern}
            case s.Contains() | s.StartsWith() | s.EndsWith():
                assert isinstance(node.value, s.Text)
                test, text = _TEXT_TESTS[type(node)], nfkc(node.value.value)
                return {"op": "text", "test": test, "expr": value(node.expr, place), "value": text}
            case s.IsKnown(expr=expr):
                return {"op": "known", "expr": value(expr, place)}
            case s.IsUnknown(expr=expr):
                return {"op": "unknown", "expr": value(expr, place)}
        return self._of_people(node, place)

    def _of_people(self, node: s.Cond, place: Place) -> Json:
        value = self.values.value
        match node:
            case s.InTop(expr=expr, size=size, among=of) | s.InBottom(expr=expr, size=size, among=of):
                is_share = isinstance(size, s.Percent)
                return {
                    "op": "rank",
                    "expr": value(expr, place),
                    "side": "top" if isinstance(node, s.InTop) else "bottom",
                    "percent": decimal_text(size.fraction) if isinstance(size, s.Percent) else None,
                    "count": None if is_share else int(size.value),
                    "population": self.values.population(of, place),
                }
            case s.Anniversary(path=path, window=window):
                return self._anniversary(path, window, place)
            case s.Near(path=path, distance=distance, center=of_point):
                metres = float(distance.metres)
                point = value(of_point, place)
                return {"op": "near", "expr": value(path, place), "point": point, "metres": metres}
            case s.Did(pattern=pattern):
                return self._happenings.did(pattern, place)
            case s.InSegment() | s.WasInSegmentAgo() | s.WasInSegmentOn() | s.EnteredSegment() | s.LeftSegment():
                return membership(node, self.values, place)
            case s.Sample(percent=percent, seed=seed):
                text = seed.value if seed else place.scope.rule
                return {"op": "sample", "seed": text, "below": str(_share_of_hashes(percent.fraction))}
        raise TypeError(f"{type(node).__name__} is no condition")

    # comparisons

    def _compare(self, node: s.Compare, place: Place) -> Json:
        a, b = self.values.type_of(node.left, place), self.values.type_of(node.right, place)
        if isinstance(node.left, (s.Date, s.Text, s.Duration)) and node.op in _FLIPPED:
            flipped = replace(node, left=node.right, op=_FLIPPED[node.op], right=node.left)
            if type(node.right) is not type(node.left):
                return self._compare(flipped, place)
        if a.kind == "instant" and isinstance(node.right, s.Date):
            return self._on_days(node.left, node.op, node.right, place)
        if b.kind == "instant" and isinstance(node.left, s.Date):
            return self._on_days(node.right, node.op, node.left, place)
        if node.op in _FLIPPED and (a.ordered or b.ordered):
            order = common_order(a, b)
            if order is None:  # what is declared has changed since the rule was published
                raise order_error(node, a, b)
            return self._by_order(node, order, place)
        if a.kind == "recency" and isinstance(node.right, s.Duration):
            self._echo_recency(node, node.right, place)
        left, right = self.values.value(node.left, place), self.values.value(node.right, place)
        return {"op": "compare", "cmp": node.op, "left": left, "right": right}

    def _echo_recency(self, node: s.Compare, duration: s.Duration, place: Place) -> None:
        border = windows.ago_ms(duration, place.clock)
        longer_ago = node.op in (">", ">=")
        self.values.echo(
            format_rule(node), None if longer_ago else border, border if longer_ago else place.clock.as_of_ms
        )

    def _on_days(self, expr: s.Expr, cmp: str, date: s.Date, place: Place) -> Json:
        """An instant beside a DATE is compared by its local day (C4)."""
        start, end = windows.between(date, date, place.clock)
        spans: dict[str, Instants] = {
            "<": (None, start),
            "<=": (None, end),
            ">": (end, None),
            ">=": (start, None),
            "=": (start, end),
            "!=": (start, end),
        }
        found = self._lies(s.Compare(expr, "=" if cmp == "!=" else cmp, date), expr, spans[cmp], place)  # type: ignore[arg-type]
        return _not(found) if cmp == "!=" else found

    def _by_order(self, node: s.Compare, order: tuple[str, ...], place: Place) -> Json:
        """`level >= silver` is one of the values from there on, in the declared order (C2)."""
        if not isinstance(node.right, s.Text):
            left, right = (self._place_in(order, side, place) for side in (node.left, node.right))
            return {"op": "compare", "cmp": node.op, "left": left, "right": right}
        at = order.index(nfkc(node.right.value))
        fits = {"<": order[:at], "<=": order[: at + 1], ">": order[at + 1 :], ">=": order[at:]}[node.op]
        expr = self.values.value(node.left, place)
        if not fits:  # below the lowest: false of what is known, unknown of the rest
            return {"op": "all", "of": [_in(expr, order), _not(_in(expr, order))]}
        return _in(expr, fits)

    def _place_in(self, order: Sequence[str], expr: s.Expr, place: Place) -> Json:
        """The number of the value in the order; unknown where the value is."""
        value = self.values.value(expr, place)
        self.values.grow(expr, len(order))
        tiers = [{"when": _in(value, [held]), "value": {"num": str(at)}} for at, held in enumerate(order)]
        return {"op": "case", "tiers": tiers, "otherwise": None}

    def _between(self, node: s.Between, place: Place) -> Json:
        kind = self.values.type_of(node.expr, place).kind
        if isinstance(node.low, (s.Date, s.DateTime)) and isinstance(node.high, (s.Date, s.DateTime)):
            written = s.BetweenDays(node.low, node.high, span=node.span)
            if kind in ("instant", "date", "recency"):
                return self._in_time(node, node.expr, written, place)
        until: s.ComparisonOperator = "<" if isinstance(node.high, s.DateTime) else "<="  # T9
        ends = (s.Compare(node.expr, ">=", node.low), s.Compare(node.expr, until, node.high))
        return {"op": "all", "of": [self._compare(end, place) for end in ends]}

    # time

    def _in_time(self, node: s.Cond, expr: s.Expr, window: s.Window, place: Place) -> Json:
        if self.values.type_of(expr, place).kind != "date":
            return self._lies(node, expr, windows.resolve_instants(window, place.clock), place)
        first, end = windows.resolve_days(window, place.clock)
        ends = (None if day is None else place.clock.day_start_ms(day) for day in (first, end))
        self.values.echo(format_rule(node), *ends)
        days = [None if day is None else windows.epoch_days(day) for day in (first, end)]
        return {"op": "within", "expr": self.values.value(expr, place), "from": days[0], "to": days[1]}

    def _lies(self, node: s.Cond, expr: s.Expr, span: Instants, place: Place) -> Json:
        """An instant, or the instant of a recency (C3), lies in [from, to)."""
        self.values.echo(format_rule(node), *span)
        if self.values.type_of(expr, place).kind == "recency":
            return self._elapsed_within(expr, span, place)
        return {"op": "within", "expr": self.values.value(expr, place), "from": span[0], "to": span[1]}

    def _elapsed_within(self, expr: s.Expr, span: Instants, place: Place) -> Json:
        """from <= t < to, said of the time elapsed since t: as-of - to < elapsed <= as-of - from."""
        elapsed, now = self.values.value(expr, place), place.clock.as_of_ms
        ends = [(cmp, now - end) for cmp, end in ((">", span[1]), ("<=", span[0])) if end is not None]
        parts = [
            {
                "op": "compare",
                "cmp": cmp,
                "left": elapsed,
                "right": {"op": "literal", "value": {"duration": duration}},
            }
            for cmp, duration in ends
        ]
        return {"op": "all", "of": parts}

    def _anniversary(self, path: s.Path, window: s.Window, place: Place) -> Json:
        first, end = windows.resolve_days(window, place.clock)
        if first is None or end is None or (end - first).days > 40_000:
            raise RuleError.at(window.span, "limit", "anniversaries are looked for in at most a hundred years")
        self.values.echo(
            f"anniversary of {format_rule(path)} {format_rule(window)}",
            place.clock.day_start_ms(first),
            place.clock.day_start_ms(end),
        )
        years = [{"year": y, "month_days": days} for y, days in windows.month_days(first, end, place.clock)]
        return {"op": "anniversary", "expr": self.values.value(path, place), "years": years}


def _not(cond: Json) -> Json:
    return {"op": "not", "of": cond}


def _in(expr: Json, values: Sequence[str]) -> Json:
    items = [{"op": "literal", "value": {"text": value}} for value in values]
    return {"op": "in", "expr": expr, "items": items}


def _share_of_hashes(share: Decimal) -> int:
    """Hashes are whole, so `hash < p · 2^64` is `hash < ceil(p · 2^64)`, exactly (S1)."""
    numerator, denominator = share.as_integer_ratio()
    return -(-numerator * 2**64 // denominator)
