"""Writes a bound clause in words, with names in the language and windows as instants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, get_args

from quanyu.dsl import syntax as s
from quanyu.dsl.binding import names
from quanyu.dsl.binding.conditions import Conditions
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.binding.unknowns import UnknownCause
from quanyu.dsl.errors import RuleError
from quanyu.dsl.explaining.aliases import translate_names
from quanyu.dsl.explaining.templates import TEMPLATES, UNITS
from quanyu.dsl.explaining.window_descriptions import WindowDescriptions
from quanyu.dsl.formatting.formatter import Language, format_rule

_CONDITIONS, _VALUES = get_args(s.Cond), get_args(s.Expr)
_WINDOWS = (*get_args(s.Window), *get_args(s.Recurrence))
_FLIPPED: dict[str, s.ComparisonOperator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_HOUR_MS = 3_600_000


@dataclass(frozen=True)
class ClauseWriter:
    """Writes the parts of one clause.

    `scope` is the scope of the part, `versions` are the dependencies of the clause, `among` is the rule's population.
    """

    scope: Scope
    windows: WindowDescriptions
    language: Language
    versions: Sequence[str]
    among: s.Ref | None

    def cond(self, node: s.Cond) -> str:
        match node:
            case s.AllOf(operands=of) | s.AnyOf(operands=of):
                return self._phrase(_snake(node)).join(map(self._group, of))
            case s.Not(operand=s.InSegment(ref=ref)):
                return self._fill("not_in_segment", ref=self.ref(ref))
            case s.Not(operand=of):
                return self._fill("negated", of=self.cond(of))
            case s.IncludingUnknown(operand=of):
                return self._fill("including_unknown", of=self._group(of))
            case s.Compare():
                return self._compare(node)
            case s.Did(pattern=pattern) | s.DidNot(pattern=pattern):
                return self._event_pattern(pattern, isinstance(node, s.DidNot))
            case s.EnteredSegment(ref=ref, window=window) | s.LeftSegment(ref=ref, window=window):
                return self._fill(_snake(node), ref=self.ref(ref), window=self._window_of_events(window))
            case s.InTop(among=of) | s.InBottom(among=of):
                population = of or self.among
                people = self.ref(population) if population else self._phrase("everybody")
                return self._fill(_snake(node), expr=self.expr(node.expr), size=self.expr(node.size), of=people)
            case s.Sample(percent=percent, seed=seed):
                text = self.expr(seed) if seed else self._phrase("own_name")
                return self._fill("sample", percent=self.expr(percent), seed=text)
        return self._leaf(node)

    def people(self, unknown: Iterable[UnknownCause]) -> str:
        """Describes the people for whom a value is unknown, each cause once; empty without causes."""
        kinds = (self._fill(who.reason, what=self._lacking(who)) for who in unknown)
        return self._phrase("who").join(dict.fromkeys(kinds))

    def ref(self, ref: s.Ref) -> str:
        """Writes a name with its version. Events have their name in the language."""
        return format_rule(translate_names(s.Step(ref), self.scope, self.language))

    def expr(self, node: s.Node) -> str:
        match node:
            case s.Path():
                return self._path(node)
            case s.Duration():
                return self._duration(node)
            case s.Arithmetic(op=op, left=left, right=right):
                return self._fill("arith", left=self._operand(left), op=op, right=self._operand(right))
            case s.Default(expr=expr, otherwise=otherwise):
                return self._fill("default", expr=self.expr(expr), otherwise=self.expr(otherwise))
            case s.Aggregate(fn=fn):
                return self._fill(fn, of=self._events(node))
            case s.Tile(fn=fn, expr=expr, among=among):
                population = among or self.among
                people = self.ref(population) if population else self._phrase("everybody")
                return self._fill(fn, expr=self.expr(expr), among=people)
        return format_rule(node, self.language)

    # conditions

    def _leaf(self, node: s.Cond) -> str:
        """Writes a condition with the template of its class and its fields in words."""
        key = _snake(node)
        fields = {name: self._part(value) for name, value in s.get_fields(node).items() if name != "span"}
        instants = self.windows.of(format_rule(node))
        if isinstance(node, (s.InList, s.NotInList)) and self._kind(node.expr) == "set":
            key = "has_any" if isinstance(node, s.InList) else "has_none"
        if isinstance(node, (s.Between, s.NotBetween)) and instants:
            key += "_in_time"
        return self._fill(key, instants=self._fill("with_instants", instants=instants) if instants else "", **fields)

    def _compare(self, node: s.Compare) -> str:
        if isinstance(node.left, (s.Date, s.Duration)) and node.op in _FLIPPED:
            node = replace(node, left=node.right, op=_FLIPPED[node.op], right=node.left)
        left, cmp, right = node.left, node.op, node.right
        kinds = {self._kind(left), self._kind(right)}
        instants = self.windows.of(format_rule(node))
        fields = {"instants": self._fill("with_instants", instants=instants) if instants else ""}
        moment = self._moment(left) if isinstance(left, s.Path) else ""
        if moment and isinstance(right, s.Duration):
            return self._fill(f"ago {cmp}", left=moment, right=self.expr(right), **fields)
        verb = self._phrase(f"in time {cmp}" if kinds & {"date", "instant"} else cmp)
        return self._fill("compare", left=self.expr(left), cmp=verb, right=self.expr(right), **fields)

    def _group(self, node: s.Cond) -> str:
        is_joint = isinstance(node, (s.AllOf, s.AnyOf))
        return self._fill("group", of=self.cond(node)) if is_joint else self.cond(node)

    def _part(self, value: Any) -> str:
        match value:
            case None:
                return ""
            case tuple():
                return self._phrase("items").join(map(self.expr, value))
            case s.Ref():
                return self.ref(value)
        if isinstance(value, _WINDOWS):
            return self._window(value)
        return self.expr(value) if isinstance(value, s.Node) else str(value)

    # events

    def _event_pattern(self, node: s.EventPattern, denied: bool) -> str:
        window = self._window_of_events(node.window)
        match node:
            case s.FirstEvent(step=step):
                return self._fill("not_first_event" if denied else "first_event", step=self._step(step), window=window)
            case s.Sequence():
                first, follow, by = self._step(node.first), self._follow(node), self._by(node)
                text = self._fill("sequence", first=first, follow=follow, by=by, window=window)
                return self._fill("negated", of=text) if denied else text
            case s.Event(step=step, times=None):
                key = ("did_not" if denied else "did") + ("_ever" if isinstance(node.window, s.Ever) else "")
                return self._fill(key, step=self._step(step), window=window)
            case s.Event(step=step, times=times):
                assert times is not None
                text = self._fill("did_times", step=self._step(step), times=self._times(times), window=window)
                return self._fill("negated", of=text) if denied else text

    def _times(self, times: s.Times) -> str:
        return self._fill(_snake(times), number=times.number, times="time" if times.number == 1 else "times")

    def _follow(self, node: s.Sequence) -> str:
        last = max(n for n, item in enumerate((None, *node.later_steps)) if not isinstance(item, s.WithoutStep))
        words = []
        for n, item in enumerate(node.later_steps, 1):
            if isinstance(item, s.WithoutStep):
                words.append(self._fill("without" if n < last else "without_last", step=self._step(item.step)))
                continue
            after = self._fill("after", after=self.expr(item.after)) if item.after else ""
            within = self._fill("within", within=self.expr(item.within)) if item.within else ""
            words.append(self._fill("follow", step=self._step(item.step), after=after, within=within))
        return "".join(words)

    def _by(self, node: s.Sequence) -> str:
        if node.by is None:
            return ""
        by = translate_names(node, self.scope, self.language).by
        return self._fill("by", by=format_rule(by)) if by else ""

    def _step(self, step: s.Step) -> str:
        ref = self.ref(step.ref)
        return self._fill("step_where", ref=ref, where=self._inside(step.ref).cond(step.where)) if step.where else ref

    def _inside(self, ref: s.Ref) -> ClauseWriter:
        return replace(self, scope=self.scope.for_person().for_events(ref))

    # windows

    def _window_of_events(self, window: s.Window | s.Recurrence) -> str:
        instants = self.windows.of(format_rule(window))
        return self._window(window) + (self._fill("with_instants", instants=instants) if instants else "")

    def _window(self, window: s.Node) -> str:
        fields: dict[str, Any] = {name: value for name, value in s.get_fields(window).items() if name != "span"}
        count = fields.get("number", 0)
        if isinstance(fields.get("units"), s.Units):
            fields |= {"count": count, "number": fields["units"].number, "unit": fields["units"].unit}
        if "unit" in fields:
            unit = UNITS[self.language][fields["unit"]]
            plural = "s" if self.language == "en" and fields.get("number") != 1 else ""
            fields |= {"unit": unit, "units": unit + plural}
        return self._fill(
            _snake(window), **{n: self.expr(v) if isinstance(v, s.Node) else v for n, v in fields.items()}
        )

    # values

    def _path(self, path: s.Path) -> str:
        moment = self._moment(path)
        if moment:
            return self._fill("time_since", moment=moment)
        return format_rule(translate_names(path, self.scope, self.language))

    def _moment(self, path: s.Path) -> str:
        """Returns text such as `the last touch@2` for a recency, or an empty text for any other value."""
        match names.resolve(path, self.scope)[1]:
            case names.Recency(events=events, first=first):
                return self._fill("first" if first else "last", events=self.ref(events))
            case names.Seen(first=first):
                return self._phrase("first_seen" if first else "last_seen")
        return ""

    def _events(self, node: s.Aggregate) -> str:
        bare = replace(node, where=None, window=None)
        path = format_rule(translate_names(bare, self.scope, self.language).path)
        where = self._fill("where", where=self._inside(node.path.ref).cond(node.where)) if node.where else ""
        if node.window is None:
            return self._fill("of_events", path=path, where=where)
        return self._fill("of_events_in", path=path, where=where, window=self._window(node.window))

    def _lacking(self, unknown: UnknownCause) -> str:
        match unknown.what:
            case None:
                return ""
            case s.Aggregate() as aggregate if unknown.reason == "without_events":
                return self._events(aggregate)
            case s.Ref() as ref:
                return self.ref(ref)
            case expr:
                return self.expr(expr)

    def _operand(self, node: s.Node) -> str:
        return self._fill("group", of=self.expr(node)) if isinstance(node, s.Arithmetic) else self.expr(node)

    def _duration(self, node: s.Duration) -> str:
        """Returns the duration as written for English, and in hours or minutes for Chinese."""
        if self.language == "en":
            return format_rule(node)
        hours, rest = divmod(node.ms, _HOUR_MS)
        return f"{node.ms // 60_000} 分钟" if rest else f"{hours} 小时"

    def _kind(self, expr: s.Expr) -> str:
        with suppress(RuleError):
            return Conditions().expressions.bind(expr, self.scope)[1].kind
        return ""

    def _phrase(self, name: str) -> str:
        return TEMPLATES[self.language][name]

    def _fill(self, name: str, **fields: object) -> str:
        return self._phrase(name).format(**fields)


def _snake(node: s.Node | None) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(node).__name__).lower()
