"""`quanyu rule ...`: each command asks one call of the tagging service, wherever the names and people are."""

from __future__ import annotations

from typing import Any

import click

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import RuleError, format_rule, parse, parse_condition
from quanyu.dsl.parser import is_condition
from quanyu.rulecli.answers import as_json_text, finish
from quanyu.rulecli.options import JSON, RULE, RuleType, Written, one_source, sources, where_options
from quanyu.rulecli.previews import preview, print_preview
from quanyu.rulecli.sources import Source
from quanyu.rulecli.test_results import passed, print_results
from quanyu.runtime.errors import InvalidInput


@click.group()
def rule() -> None:
    """Writes, checks and tries out rules.

    RULE is a rule's text, a file that holds one, or - for standard input. Its names are those of a running server
    (--server), a data folder (--data) or a file (--catalog). Status 1: the rule is wrong, or a test failed; 2: the
    command is.
    """


@rule.command()
@RULE
@where_options
@JSON
def check(rule: Written, as_json: bool, **where: Any) -> None:
    """Says what is wrong in a RULE, and what to write instead."""
    with one_source(**where) as source:
        answer: pb.ValidateRuleResponse = source.ask("ValidateRule", text=rule.text)
    finish(answer, rule, ["the rule is right"], as_json=as_json)


@rule.command()
@RULE
@where_options
@JSON
def explain(rule: Written, as_json: bool, **where: Any) -> None:
    """Says what a RULE means, a sentence for each clause."""
    with one_source(**where) as source:
        answer: pb.ValidateRuleResponse = source.ask("ValidateRule", text=rule.text)
    finish(answer, rule, answer.explanation, as_json=as_json)


@rule.command("format")
@RULE
@click.option("--check", "is_check", is_flag=True, help="Prints nothing; status 1 if the RULE is written otherwise.")
def format_command(rule: Written, is_check: bool) -> None:
    """Writes a RULE in its one canonical form."""
    try:
        text = format_rule((parse_condition if is_condition(rule.text) else parse)(rule.text))
    except RuleError as error:
        click.echo(str(error))
        click.get_current_context().exit(1)
    if not is_check:
        click.echo(text)
    elif text != rule.text.strip():
        click.get_current_context().exit(1)


@rule.command("preview")
@RULE
@where_options
@JSON
@click.option(
    "--as-of", "as_of", help="Instant, such as 2026-01-31 or 2026-01-31T08:00 in the workspace's zone; default now."
)
@click.option("--known-at", type=click.IntRange(min=0), help="Raw offset: leaves out what came later; default all.")
def preview_command(rule: Written, as_json: bool, as_of: str | None, known_at: int | None, **where: Any) -> None:
    """Counts whom a RULE means: a condition, or the text of a segment or tag.

    In a data folder without --workspace, in each one that has the rule's names.
    """
    refusals: list[InvalidInput] = []
    with sources(**where) as found:
        for source in found:
            need_people(source, "preview")
            try:
                answer = preview(source, rule.text, as_of, known_at)
            except InvalidInput as refusal:
                refusals.append(refusal)
                continue
            if as_json:
                click.echo(as_json_text(answer))
                continue
            if len(found) > 1:
                click.echo(f"In workspace {source.workspace}:")
            print_preview(answer, source.reading().clock)
        if len(refusals) == len(found):
            raise refusals[0]


@rule.command("test")
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


@rule.command()
@where_options
def lsp(**where: Any) -> None:
    """Serves an editor on standard input and output: a language server for *.rule files."""
    try:
        from quanyu.rulecli.language_server import serve
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error}; the language server comes with: pip install 'quanyu[lsp]'") from error
    with one_source(**where) as source:
        serve(source)


def need_people(source: Source, what: str) -> None:
    if not source.has_people:
        raise click.UsageError(f"{what} is about people, and a catalog has none: give --server or --data")
