"""`quanyu rule test`: runs the tests that are written beside rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.cli.rule.arguments import JSON, RuleParam, RuleText
from quanyu.cli.rule.responses import diagnostic_lines, to_json
from quanyu.cli.rule.source_options import open_source, source_options


@click.command("test")
@click.argument("files", type=RuleParam(), metavar="FILE...", nargs=-1, required=True)
@source_options
@JSON
def run_tests(files: tuple[RuleText, ...], as_json: bool, **where: Any) -> None:
    """Runs the `test` blocks of each FILE, each in a workspace that holds only what the test gives."""
    with open_source(**where) as source:
        answers: list[pb.RunRuleTestsResponse] = [source.call("RunRuleTests", text=file.text) for file in files]
    if as_json:
        for answer in answers:
            click.echo(to_json(answer))
    else:
        print_results(answers, files)
    click.get_current_context().exit(0 if all(map(is_passed, answers)) else 1)


def is_passed(answer: pb.RunRuleTestsResponse) -> bool:
    """Returns True if the text is valid and each of its tests passes."""
    return not answer.diagnostics and all(result.passed for result in answer.results)


def print_results(answers: Sequence[pb.RunRuleTestsResponse], files: Sequence[RuleText]) -> None:
    """Prints a line for each test, the reasons of those that failed, and a summary."""
    for answer, file in zip(answers, files, strict=True):
        if file.name:
            click.echo(file.name)
        for line in _result_lines(answer, file):
            click.echo(line)
    results = [result for answer in answers for result in answer.results]
    failed = sum(not result.passed for result in results)
    wrong = sum(bool(answer.diagnostics) for answer in answers)
    unread = f", {wrong} of {len(files)} texts invalid" if wrong else ""
    tests = "1 test" if len(results) == 1 else f"{len(results)} tests"
    click.echo(f"{tests}: {len(results) - failed} passed, {failed} failed{unread}")


def _result_lines(answer: pb.RunRuleTestsResponse, file: RuleText) -> Iterator[str]:
    yield from diagnostic_lines(answer.diagnostics, file)
    for result in answer.results:
        yield f"  {'passed' if result.passed else 'FAILED'}  {result.name} (line {result.line})"
        for failure in result.failures:
            yield from (f"          {line}" for line in failure.split("\n"))
