"""`quanyu rule diff`: what changes from one rule to another, in words and, where there are people, in people."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.cli.rule.options import Written
from quanyu.cli.rule.sources import Source
from quanyu.dsl import BoundRules, check_and_bind, describe_differences
from quanyu.dsl import syntax as s
from quanyu.dsl.model.library import RULE_KIND_NAMES, Rule
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.references import parse_reference
from quanyu.tagging.evaluation.rule_errors import rule_errors_as_invalid_input

SAME = "it means the same"
_REFERENCE = re.compile(r"[^\W\d]\w*(@\d+)?")


def is_published(rule: Written) -> bool:
    """Whether it is the name of a published rule, such as `lapsed` or `lapsed@2`, and no text."""
    return not rule.name and _REFERENCE.fullmatch(rule.text) is not None


def diff(source: Source, old: str, new: Written, as_of: pb.AsOf) -> pb.DiffRuleResponse:
    """From a published rule to another version of it, or to a text that declares it."""
    name, former = parse_reference(old)
    to: dict[str, str | int] = {"text": new.text}
    if is_published(new):
        other, later = parse_reference(new.text)
        if other != name:
            raise click.UsageError(f"{name} and {other} are two rules, not two versions of one")
        to = {"to_version": later}
    answer: pb.DiffRuleResponse = source.ask("DiffRule", name=name, from_version=former, as_of=as_of, **to)
    return answer


def change_lines(change: pb.RuleChange) -> Iterator[str]:
    yield f"{change.name}@{change.from_version} to {change.name}@{change.to_version}:"
    yield from (f"  {words}" for words in change.differences or [SAME])
    for moved in change.comparisons:
        yield f"  {moved.name}: {moved.entering:,} enter, {moved.leaving:,} leave, {moved.staying:,} stay"
    if change.error:
        yield f"  people cannot be compared: {change.error}"


def text_lines(evaluation: EvaluationContext, old: Written, new: Written) -> Iterator[str]:
    """In words only, rule by rule, between two texts that need not be published. InvalidInput where one is wrong."""
    with rule_errors_as_invalid_input():
        bounds = [check_and_bind(text.text, evaluation.catalog, evaluation.library) for text in (old, new)]
        before, after = (evaluation.library.publish(bound) for bound in bounds)
    was, now = map(_declared, bounds)
    for name in dict.fromkeys((*was, *now)):
        old_rule, new_rule = was.get(name), now.get(name)
        if old_rule and new_rule and type(old_rule) is type(new_rule):
            yield f"{_label(new_rule)}:"
            words = describe_differences(old_rule, new_rule, before, after, evaluation.catalog)
            yield from (f"  {sentence}" for sentence in words or [SAME])
            continue
        if old_rule:
            yield f"{_label(old_rule)}: removed"
        if new_rule:
            yield f"{_label(new_rule)}: added"


def _declared(bound: BoundRules) -> dict[str, Rule]:
    """By name; a lone condition is that of a segment without one."""
    if bound.condition is not None:
        return {"": s.Segment(s.Ref(""), None, bound.condition)}
    return {rule.ref.name: rule for rule in bound.statements if isinstance(rule, Rule)}


def _label(rule: Rule) -> str:
    return f"{RULE_KIND_NAMES[type(rule)]} {rule.ref.name}" if rule.ref.name else "the condition"
