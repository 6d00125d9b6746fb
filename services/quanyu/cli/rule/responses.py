"""Prints the responses of calls on a terminal, and ends the command with their status."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.cli.rule.arguments import RuleText
from quanyu.cli.rule.sources.source import RuleSource
from quanyu.dsl import Clock
from quanyu.dsl.errors import format_error
from quanyu.runtime.errors import InvalidInput


def finish(answer: Any, rule: RuleText, lines: Iterable[str], *, as_json: bool, is_right: bool = True) -> None:
    """Prints a response and ends the command, with status 1 if the rule is invalid or `is_right` is False.

    Prints the diagnostics of an invalid rule, and `lines` for a valid one.
    """
    diagnostics = getattr(answer, "diagnostics", ())
    if as_json:
        click.echo(to_json(answer))
    else:
        for line in diagnostic_lines(diagnostics, rule) if diagnostics else lines:
            click.echo(line)
    click.get_current_context().exit(0 if is_right and not diagnostics else 1)


def to_json(answer: Any) -> str:
    """Returns the message as JSON, with the field names of the proto and with empty fields."""
    return json_format.MessageToJson(
        answer, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, ensure_ascii=False
    )


def require_valid(answer: Any, rule: RuleText) -> None:
    """Raises InvalidInput with the diagnostics if the rule is invalid."""
    if answer.diagnostics:
        raise InvalidInput("\n".join(diagnostic_lines(answer.diagnostics, rule)))


def diagnostic_lines(diagnostics: Iterable[pb.Diagnostic], rule: RuleText) -> list[str]:
    """Returns for each diagnostic what is wrong, where, and what to write instead."""
    file = f"{rule.name}: " if rule.name else ""
    return [file + format_error(rule.text, d.line, d.column, d.message, d.suggestions) for d in diagnostics]


def require_people(source: RuleSource, command: str) -> None:
    """Raises UsageError if the source has names only."""
    if not source.has_people:
        raise click.UsageError(f"{command} needs people, and a catalog has none: give --server or --data")


def format_instant(instant: Timestamp, clock: Clock) -> str:
    """Returns the instant in the clock's zone, to the second."""
    return clock.local_time(instant.ToMilliseconds()).isoformat(sep=" ", timespec="seconds")
