"""The commands about the text of a rule: check, lint, format, explain and complete."""

from __future__ import annotations

from typing import Any

import click

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.cli.rule.arguments import AS_OF, JSON, LANGUAGE, RULE, RuleText, resolve_as_of
from quanyu.cli.rule.responses import finish
from quanyu.cli.rule.source_options import open_source, open_source_or_empty, source_options
from quanyu.dsl.errors import format_error


@click.command()
@RULE
@source_options
@JSON
def check(rule: RuleText, as_json: bool, **where: Any) -> None:
    """Reports what is wrong in a RULE and what to write instead, or warns about a valid RULE."""
    with open_source(**where) as source:
        answer: pb.ValidateRuleResponse = source.call("ValidateRule", text=rule.text)
        warnings = [] if answer.diagnostics else _warning_lines(source.call("LintRule", text=rule.text), rule)
    finish(answer, rule, ["the rule is right", *(f"warning: {warning}" for warning in warnings)], as_json=as_json)


@click.command()
@RULE
@source_options
@JSON
def lint(rule: RuleText, as_json: bool, **where: Any) -> None:
    """Warns about conditions of a RULE that are never or always true, or easily misread.

    Ends with status 1 if there is a warning.
    """
    with open_source(**where) as source:
        answer: pb.LintRuleResponse = source.call("LintRule", text=rule.text)
    lines = _warning_lines(answer, rule)
    finish(answer, rule, lines or ["nothing to warn of"], as_json=as_json, is_right=not lines)


def _warning_lines(answer: pb.LintRuleResponse, rule: RuleText) -> list[str]:
    return [
        format_error(rule.text, found.line, found.column, f"{found.message} [{found.code}]", found.suggestions)
        for found in answer.findings
    ]


@click.command("format")
@RULE
@LANGUAGE
@click.option("--check", "is_check", is_flag=True, help="Prints nothing; status 1 if the RULE is not in this form.")
@source_options
@JSON
def format_rule(rule: RuleText, language: int, is_check: bool, as_json: bool, **where: Any) -> None:
    """Writes a RULE in its one canonical form, in English or Chinese.

    Without --server, --data or --catalog, names stay as they are.
    """
    with open_source_or_empty(**where) as source:
        answer: pb.FormatRuleResponse = source.call("FormatRule", text=rule.text, language=language)
    is_canonical = answer.text.strip() == rule.text.strip()
    finish(answer, rule, [] if is_check else [answer.text], as_json=as_json, is_right=is_canonical or not is_check)


@click.command()
@RULE
@LANGUAGE
@AS_OF
@source_options
@JSON
def explain(rule: RuleText, language: int, as_of: str | None, as_json: bool, **where: Any) -> None:
    """Explains a RULE, one sentence for each clause, with the instants of its windows."""
    with open_source(**where) as source:
        asked = resolve_as_of(source, as_of)
        answer: pb.ExplainRuleResponse = source.call("ExplainRule", text=rule.text, language=language, as_of=asked)
    finish(answer, rule, answer.sentences, as_json=as_json)


@click.command()
@RULE
@click.option("--at", "offset", type=click.IntRange(0, 2**32 - 1), help="Characters before the cursor; default: all.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Most completions to list.")
@source_options
@JSON
def complete(rule: RuleText, offset: int | None, limit: int, as_json: bool, **where: Any) -> None:
    """Lists the completions of a RULE at its end or at a cursor: text, kind, type, and how many people have it."""
    at = len(rule.text) if offset is None else offset
    with open_source(**where) as source:
        answer: pb.CompleteRuleResponse = source.call("CompleteRule", text=rule.text, offset=at, limit=limit)
        has_people = source.has_people
    lines = [_completion_line(item, has_people) for item in answer.items]
    finish(answer, rule, [*lines, *(["..."] if answer.more else [])], as_json=as_json)


def _completion_line(item: pb.Completion, has_people: bool) -> str:
    people = [f"{item.people:,} people"] if has_people and item.HasField("people") else []
    return "\t".join([item.text, item.kind, item.detail, *people]).rstrip()
