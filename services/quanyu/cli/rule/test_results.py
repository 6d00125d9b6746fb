"""`quanyu rule test`: a line for each test, why those failed that did, and a summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.cli.rule.options import Written
from quanyu.cli.rule.output import diagnostic_lines


def passed(answer: pb.RunRuleTestsResponse) -> bool:
    return not answer.diagnostics and all(result.passed for result in answer.results)


def print_results(answers: Sequence[pb.RunRuleTestsResponse], files: Sequence[Written]) -> None:
    for answer, file in zip(answers, files, strict=True):
        if file.name:
            click.echo(file.name)
        for line in _lines(answer, file):
            click.echo(line)
    results = [result for answer in answers for result in answer.results]
    failed = sum(not result.passed for result in results)
    wrong = sum(bool(answer.diagnostics) for answer in answers)
    unread = f", {wrong} of {len(files)} texts wrong" if wrong else ""
    tests = "1 test" if len(results) == 1 else f"{len(results)} tests"
    click.echo(f"{tests}: {len(results) - failed} passed, {failed} failed{unread}")


def _lines(answer: pb.RunRuleTestsResponse, file: Written) -> Iterator[str]:
    yield from diagnostic_lines(answer.diagnostics, file)
    for result in answer.results:
        yield f"  {'passed' if result.passed else 'FAILED'}  {result.name} (line {result.line})"
        for failure in result.failures:
            yield from (f"          {line}" for line in failure.split("\n"))
