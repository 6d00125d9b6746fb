"""Explains the name and the clause under the cursor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from quanyu.cli.rule.rule_language import detect_language
from quanyu.dsl import Catalog, Field, Library, RuleError, check_and_bind, explain, format_rule
from quanyu.dsl import syntax as s
from quanyu.tagging.evaluation.context import EvaluationContext

_NAME = re.compile(r"`[^`\n]+`|[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Hover:
    """Lines that explain the characters from `start` to `end`."""

    start: int
    end: int
    lines: list[str]


def hover(text: str, offset: int, evaluation: EvaluationContext) -> Hover | None:
    """Returns what explains the text at `offset`; None if nothing does.

    Names are explained in invalid texts too; clauses only in valid ones, in the language of their keywords.
    """
    name = next((found for found in _NAME.finditer(text) if found.start() <= offset < found.end()), None)
    named = [] if name is None else list(explain_name(name.group().strip("`"), evaluation.catalog, evaluation.library))
    try:
        bound = check_and_bind(text, evaluation.catalog, evaluation.library)
        library = evaluation.library.publish(bound)
        parts = [part for node in bound.statements or (bound.condition,) for part in _clauses(node)]
        clause = next((part for part in parts if part.span.start <= offset < part.span.end), None)
        names = (library, evaluation.catalog, evaluation.clock, detect_language(text))
        sentences = explain(clause, *names) if clause is not None else []
    except RuleError:
        clause, sentences = None, []
    if name is not None and (named or sentences):
        return Hover(name.start(), name.end(), [*named, *sentences])
    return None if clause is None else Hover(clause.span.start, clause.span.end, sentences)


def _clauses(node: s.Node | None) -> Iterator[s.Cond | s.Define | s.Metric]:
    """Yields the parts of a statement or a lone condition that are explained one by one."""
    match node:
        case s.Define() | s.Metric():
            yield node
        case s.Segment(cond=cond):
            yield from _clauses(cond)
        case s.Tag(tiers=tiers):
            yield from (tier.cond for tier in tiers)
        case s.AllOf(operands=parts) | s.AnyOf(operands=parts):
            yield from parts
        case None:
            return
        case _:
            yield node  # type: ignore[misc]


def explain_name(name: str, catalog: Catalog, library: Library) -> Iterator[str]:
    """Yields what a name means: several things if it is also a property of events."""
    declared = catalog.canonical(name)
    attribute = catalog.find_attribute(declared, None)
    if attribute is not None:
        yield f"`{attribute.name}`: attribute of people, {_type(attribute)}"
    if declared in catalog.event_types:
        properties = ", ".join(catalog.event_types[declared].properties)
        yield f"`{declared}`: event" + (f" with {properties}" if properties else "")
    rule = library.get(declared, library.newest(declared))
    if rule is not None:
        yield f"`{format_rule(rule)}`"
    for event in catalog.event_types.values():
        found = catalog.find_property(event.properties, name)
        if found is not None:
            yield f"`{event.name}.{found.name}`: property, {_type(found)}"


def _type(field: Field) -> str:
    kind = f"money ({field.currency})" if field.kind == "money" else field.kind
    joint = " < " if field.ordered else ", "
    values = f": {joint.join(field.values[:20])}" if field.values else ""
    more = f" and {len(field.values) - 20} more" if len(field.values) > 20 else ""
    return kind + values + more
