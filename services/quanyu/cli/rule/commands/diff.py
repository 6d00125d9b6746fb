"""`quanyu rule diff`: explains what changes from one rule to another, and counts who enters and leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import click

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.cli.rule.arguments import AS_OF, JSON, RuleParam, RuleText, resolve_as_of
from quanyu.cli.rule.responses import finish
from quanyu.cli.rule.source_options import open_source, source_options
from quanyu.cli.rule.sources.source import RuleSource
from quanyu.dsl import BoundRules, check_and_bind, describe_differences
from quanyu.dsl import syntax as s
from quanyu.dsl.model.library import RULE_KIND_NAMES, Rule
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.references import parse_reference
from quanyu.tagging.evaluation.rule_errors import rule_errors_as_invalid_input

SAME = "it means the same"
_REFERENCE = re.compile(r"[^\W\d]\w*(@\d+)?")


@click.command()
@click.argument("old", type=RuleParam(), metavar="OLD")
@click.argument("new", type=RuleParam(), metavar="NEW")
@AS_OF
@source_options
@JSON
def diff(old: RuleText, new: RuleText, as_of: str | None, as_json: bool, **where: Any) -> None:
    """Explains what changes from OLD to NEW.

    Each is a published rule (NAME or NAME@VERSION) or a text. If OLD is published, also counts who enters and leaves.
    """
    with open_source(**where) as source:
        if is_published_name(old):
            answer = compare_published(source, old.text, new, resolve_as_of(source, as_of))
            finish(answer, new, change_lines(answer.change), as_json=as_json)
        if as_json or is_published_name(new):
            raise click.UsageError("--json and a published NEW need a published OLD: give OLD as NAME@VERSION")
        for line in text_difference_lines(source.evaluation_now(), old, new):
            click.echo(line)


def is_published_name(rule: RuleText) -> bool:
    """Returns True for the name of a published rule, such as `lapsed` or `lapsed@2`, and False for a text."""
    return not rule.name and _REFERENCE.fullmatch(rule.text) is not None


def compare_published(source: RuleSource, old: str, new: RuleText, as_of: pb.AsOf) -> pb.DiffRuleResponse:
    """Compares a published rule with another version of it, or with a text that declares it."""
    name, former = parse_reference(old)
    to: dict[str, str | int] = {"text": new.text}
    if is_published_name(new):
        other, later = parse_reference(new.text)
        if other != name:
            raise click.UsageError(f"{name} and {other} are different rules: give two versions of one rule")
        to = {"to_version": later}
    answer: pb.DiffRuleResponse = source.call("DiffRule", name=name, from_version=former, as_of=as_of, **to)
    return answer


def change_lines(change: pb.RuleChange) -> Iterator[str]:
    """Yields the differences in words, then how many people enter, leave and stay."""
    yield f"{change.name}@{change.from_version} to {change.name}@{change.to_version}:"
    yield from (f"  {words}" for words in change.differences or [SAME])
    for moved in change.comparisons:
        yield f"  {moved.name}: {moved.entering:,} enter, {moved.leaving:,} leave, {moved.staying:,} stay"
    if change.error:
        yield f"  people cannot be compared: {change.error}"


def text_difference_lines(evaluation: EvaluationContext, old: RuleText, new: RuleText) -> Iterator[str]:
    """Compares two texts rule by rule, in words; raises InvalidInput if one of them is wrong."""
    with rule_errors_as_invalid_input():
        bounds = [check_and_bind(text.text, evaluation.catalog, evaluation.library) for text in (old, new)]
        before, after = (evaluation.library.publish(bound) for bound in bounds)
    was, now = map(_rules_by_name, bounds)
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


def _rules_by_name(bound: BoundRules) -> dict[str, Rule]:
    """Returns the rules of a text by name; a lone condition becomes a segment with an empty name."""
    if bound.condition is not None:
        return {"": s.Segment(s.Ref(""), None, bound.condition)}
    return {rule.ref.name: rule for rule in bound.statements if isinstance(rule, Rule)}


def _label(rule: Rule) -> str:
    return f"{RULE_KIND_NAMES[type(rule)]} {rule.ref.name}" if rule.ref.name else "the condition"
