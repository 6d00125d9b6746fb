"""The commands about a rule's text: check, lint, format, explain, complete, diff, test."""

from __future__ import annotations

from typing import Any

import click

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.cli.rule.differences import (
    change_lines,
    diff,
    is_published,
    text_lines,
)
from quanyu.cli.rule.options import (
    AS_OF,
    JSON,
    LANGUAGE,
    RULE,
    RuleType,
    Written,
    as_of_message,
    one_source,
    source_or_none,
    where_options,
)
from quanyu.cli.rule.output import as_json_text, finish
from quanyu.cli.rule.test_results import passed, print_results
from quanyu.dsl.errors import format_error


@click.command()
@RULE
@where_options
@JSON
def check(rule: Written, as_json: bool, **where: Any) -> None:
    """Says what is wrong in a RULE, and what to write instead; of one that is right, what may not be meant."""
    with one_source(**where) as source:
        answer: pb.ValidateRuleResponse = source.ask("ValidateRule", text=rule.text)
        warnings = [] if answer.diagnostics else _warnings(source.ask("LintRule", text=rule.text), rule)
    finish(answer, rule, ["the rule is right", *(f"warning: {warning}" for warning in warnings)], as_json=as_json)


@click.command()
@RULE
@where_options
@JSON
def lint(rule: Written, as_json: bool, **where: Any) -> None:
    """Says what in a RULE may not be meant: what is never or always true, or easily misread.

    Status 1 if there is any.
    """
    with one_source(**where) as source:
        answer: pb.LintRuleResponse = source.ask("LintRule", text=rule.text)
    lines = _warnings(answer, rule)
    finish(answer, rule, lines or ["nothing to warn of"], as_json=as_json, is_right=not lines)


def _warnings(answer: pb.LintRuleResponse, rule: Written) -> list[str]:
    return [
        format_error(rule.text, found.line, found.column, f"{found.message} [{found.code}]", found.suggestions)
        for found in answer.findings
    ]


@click.command("format")
@RULE
@LANGUAGE
@click.option("--check", "is_check", is_flag=True, help="Prints nothing; status 1 if the RULE is written otherwise.")
@where_options
@JSON
def format_command(rule: Written, language: int, is_check: bool, as_json: bool, **where: Any) -> None:
    """Writes a RULE in its one canonical form, in English or Chinese.

    Without --server, --data or --catalog its names stay as they are.
    """
    with source_or_none(**where) as source:
        answer: pb.FormatRuleResponse = source.ask("FormatRule", text=rule.text, language=language)
    is_canonical = answer.text.strip() == rule.text.strip()
    finish(answer, rule, [] if is_check else [answer.text], as_json=as_json, is_right=is_canonical or not is_check)


@click.command()
@RULE
@LANGUAGE
@AS_OF
@where_options
@JSON
def explain(rule: Written, language: int, as_of: str | None, as_json: bool, **where: Any) -> None:
    """Says what a RULE means, a sentence for each clause, with the instants that its windows come to."""
    with one_source(**where) as source:
        asked = as_of_message(source, as_of)
        answer: pb.ExplainRuleResponse = source.ask("ExplainRule", text=rule.text, language=language, as_of=asked)
    finish(answer, rule, answer.sentences, as_json=as_json)


@click.command()
@RULE
@click.option("--at", "offset", type=click.IntRange(0, 2**32 - 1), help="Characters before the cursor; default: all.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Most offers.")
@where_options
@JSON
def complete(rule: Written, offset: int | None, limit: int, as_json: bool, **where: Any) -> None:
    """Lists what may stand at the end of a RULE, or at a place in it: text, kind, type, and how many people have it."""
    at = len(rule.text) if offset is None else offset
    with one_source(**where) as source:
        answer: pb.CompleteRuleResponse = source.ask("CompleteRule", text=rule.text, offset=at, limit=limit)
        counted = source.has_people
    lines = ["\t".join([item.text, item.kind, item.detail, *_people(item, counted)]).rstrip() for item in answer.items]
    finish(answer, rule, [*lines, *(["..."] if answer.more else [])], as_json=as_json)


def _people(item: pb.Completion, counted: bool) -> list[str]:
    return [f"{item.people:,} people"] if counted and item.HasField("people") else []


@click.command("diff")
@click.argument("old", type=RuleType(), metavar="OLD")
@click.argument("new", type=RuleType(), metavar="NEW")
@AS_OF
@where_options
@JSON
def diff_command(old: Written, new: Written, as_of: str | None, as_json: bool, **where: Any) -> None:
    """Says what changes from OLD to NEW.

    Each is a published rule (NAME or NAME@VERSION) or a text. From a published rule it also says who enters and leaves.
    """
    with one_source(**where) as source:
        if is_published(old):
            answer = diff(source, old.text, new, as_of_message(source, as_of))
            finish(answer, new, change_lines(answer.change), as_json=as_json)
        if as_json or is_published(new):
            raise click.UsageError("from a text there are words only: give OLD as NAME@VERSION of a published rule")
        for line in text_lines(source.evaluation_now(), old, new):
            click.echo(line)


@click.command("test")
@click.argument("files", type=RuleType(), metavar="FILE...", nargs=-1, required=True)
@where_options
@JSON
def test_command(files: tuple[Written, ...], as_json: bool, **where: Any) -> None:
    """Runs the `test` blocks of each FILE, in worlds that hold what they give and nothing else."""
    with one_source(**where) as source:
        answers: list[pb.RunRuleTestsResponse] = [source.ask("RunRuleTests", text=file.text) for file in files]
    if as_json:
        for answer in answers:
            click.echo(as_json_text(answer))
    else:
        print_results(answers, files)
    click.get_current_context().exit(0 if all(map(passed, answers)) else 1)
