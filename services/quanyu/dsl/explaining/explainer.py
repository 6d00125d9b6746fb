"""Explains a rule: one sentence for each top-level clause, with resolved instants and bound versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from quanyu.dsl import syntax as s
from quanyu.dsl.binding import unknowns
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.calendar.windows import Clock
from quanyu.dsl.explaining.aliases import translate_names
from quanyu.dsl.explaining.clause_writer import ClauseWriter
from quanyu.dsl.explaining.templates import TEMPLATES
from quanyu.dsl.explaining.window_descriptions import WindowDescriptions
from quanyu.dsl.formatting.chinese import translate_to_chinese
from quanyu.dsl.formatting.formatter import Language, format_rule
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import BoundRules, Library, Rule
from quanyu.dsl.planning.compiler import compile_condition

_JOINT = (s.AllOf, s.AnyOf)


def explain(
    rule: BoundRules | s.Cond | Rule, library: Library, catalog: Catalog, clock: Clock, language: Language = "en"
) -> list[str]:
    """Returns the sentences for a bound condition or statement, or for all statements of a bound text.

    To explain a text that is not published yet, pass a library that contains it: `library.publish(bound)`.
    """
    if isinstance(rule, BoundRules):
        rules = [part for part in rule.statements if isinstance(part, Rule)]
        parts: list[s.Cond | Rule] = [*rules] if rule.condition is None else [rule.condition]
        return [line for part in parts for line in explain(part, library, catalog, clock, language)]
    clauses = _Explainer(library, catalog, clock, language)
    match rule:
        case s.Define():
            return [clauses.definition(rule)]
        case s.Metric():
            return [clauses.metric(rule)]
        case s.Segment():
            return list(clauses.condition(rule.cond, rule.among))
        case s.Tag():
            return list(clauses.tag(rule))
    return list(clauses.condition(rule, None))


class _Explainer:
    def __init__(self, library: Library, catalog: Catalog, clock: Clock, language: Language) -> None:
        self._library, self._catalog, self._clock, self._language = library, catalog, clock, language
        self._phrases = TEMPLATES[language]
        self._scope = Scope(catalog, library)

    def condition(self, cond: s.Cond, among: s.Ref | None) -> Iterator[str]:
        parts = cond.operands if isinstance(cond, (s.AllOf, s.AnyOf)) else (cond,)
        is_choice = isinstance(cond, s.AnyOf)
        for n, part in enumerate(parts):
            writer = self._clause_writer(part, among)
            clause = writer.cond(part)
            if n:
                clause = self._phrases["or" if is_choice else "and"].format(clause=clause)
            if among is not None:
                clause = self._phrases["among"].format(among=writer.ref(among), clause=clause)
            remark = "not_met" if is_choice else "left_out"
            remark = "part_not_met" if any(map(_may_hold_otherwise, _parts(part))) else remark
            who = list(self._people(part, writer, remark))
            yield self._sentence(clause, part, writer, who)

    def definition(self, rule: s.Define) -> str:
        return f"{self._meaning(rule)}{self._phrases['end']}"

    def metric(self, rule: s.Metric) -> str:
        known = s.IsKnown(rule.expr)
        writer = self._clause_writer(known, None)
        clause = self._phrases["metric"].format(name=writer.ref(rule.ref), expr=writer.expr(rule.expr))
        people = writer.people(unknowns.find_in_value(rule.expr, self._scope))
        who = [self._phrases["is_unknown_for"].format(people=people)] if people else []
        return self._sentence(clause, known, writer, who)

    def tag(self, rule: s.Tag) -> Iterator[str]:
        for tier in rule.tiers:
            writer = self._clause_writer(tier.cond, None)
            clause = self._phrases["tier"].format(value=writer.expr(tier.value), when=writer.cond(tier.cond))
            who = list(self._people(tier.cond, writer, "passed_over"))
            yield self._sentence(clause, tier.cond, writer, who)
        last = self._clause_writer(rule.tiers[0].cond, None)
        value = self._phrases["unknown"] if rule.otherwise is None else last.expr(rule.otherwise)
        yield self._phrases["otherwise"].format(value=value) + self._phrases["end"]

    def _clause_writer(self, cond: s.Cond, among: s.Ref | None) -> ClauseWriter:
        compiled = compile_condition(cond, self._library, self._catalog, self._clock)
        descriptions = WindowDescriptions(compiled.windows, self._clock, self._language)
        return ClauseWriter(self._scope, descriptions, self._language, compiled.versions, among)

    def _sentence(self, clause: str, cond: s.Cond, writer: ClauseWriter, who: list[str]) -> str:
        """Joins the clause, its remaining windows, the meanings of its names, and the people that it excludes."""
        windows = [
            self._phrases["window_is"].format(
                text=translate_to_chinese(text) if self._language == "zh" else text, instants=instants
            )
            for text, instants in writer.windows.left()
        ]
        named = [self._library.get(*_name_version(version)) for version in writer.versions]
        meanings = [self._meaning(rule) for rule in named if isinstance(rule, (s.Define, s.Metric))]
        parts = [*windows, *meanings, *who, *self._remarks(cond)]
        ending = "".join(self._phrases["part"].format(part=part) for part in parts)
        return f"{clause}{ending}{self._phrases['end']}"

    def _meaning(self, rule: s.Define | s.Metric) -> str:
        """Returns a sentence part such as `touch@2 is order or scan`."""
        written = format_rule(translate_names(rule, self._scope, self._language), self._language)
        name, _, meaning = written.partition(" ")[2].partition(" = ")
        return self._phrases["meaning"].format(name=name, meaning=meaning)

    def _people(self, cond: s.Cond, writer: ClauseWriter, remark: str) -> Iterator[str]:
        """Describes the people for whom the condition is unknown, and those whom `including unknown` includes."""
        people = writer.people(unknowns.find_in_condition(cond, self._scope))
        if people:
            yield self._phrases[remark].format(people=people)
        found = (node.operand for node in _parts(cond) if isinstance(node, s.IncludingUnknown))
        taken = writer.people(who for inner in found for who in unknowns.find_in_condition(inner, self._scope))
        if taken:
            is_simple = isinstance(cond, s.IncludingUnknown) and not isinstance(cond.operand, _JOINT)
            yield self._phrases["taken_in" if is_simple else "part_taken_in"].format(people=taken)

    def _remarks(self, cond: s.Cond) -> Iterable[str]:
        """Returns remarks about parts that are easily misread."""
        remarks = []
        for node in s.walk(cond):
            if isinstance(node, (s.EnteredSegment, s.LeftSegment)):
                remarks.append(self._phrases["both_ends"])
            elif isinstance(node, s.DidNot) and isinstance(node.pattern.window, s.Recurrence):
                offer = _each_without(node.pattern, self._language)
                remarks.append(self._phrases["denies_all_offer" if offer else "denies_all"].format(offer=offer))
        return dict.fromkeys(remarks)


def _parts(cond: s.Node) -> Iterator[s.Node]:
    """Yields the condition and the operands of its `and`, `or` and `not`, not the conditions inside events."""
    yield cond
    if isinstance(cond, (*_JOINT, s.Not)):
        for child in s.iter_children(cond):
            yield from _parts(child)


def _may_hold_otherwise(cond: s.Node) -> bool:
    """Returns whether the condition can be true although a part of it is unknown (U1, U3)."""
    names_items = isinstance(cond, (s.InList, s.HasAny)) and any(isinstance(item, s.Path) for item in cond.items)
    return isinstance(cond, _JOINT) or names_items


def _each_without(pattern: s.EventPattern, language: Language) -> str:
    """Suggests the condition for which `did not` is often mistaken: each unit has no such event."""
    if not isinstance(pattern, s.Event):
        return ""
    match pattern.times:
        case None | s.AtLeast(number=1):
            times: s.Times = s.Exactly(0)
        case s.AtLeast(number=number) if number > 1:
            times = s.AtMost(number - 1)
        case s.AtMost(number=number):
            times = s.AtLeast(number + 1)
        case _:
            return ""
    return format_rule(s.Did(replace(pattern, times=times)), language)


def _name_version(label: str) -> tuple[str, int]:
    name, _, version = label.partition("@")
    return name, int(version)
