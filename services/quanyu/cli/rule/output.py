"""Answers of calls as a terminal shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
from google.protobuf import json_format

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.cli.rule.options import Written
from quanyu.dsl.errors import format_error
from quanyu.runtime.errors import InvalidInput


def finish(answer: Any, rule: Written, lines: Iterable[str], *, as_json: bool, is_right: bool = True) -> None:
    """Shows a response and ends the command: with status 1 where the rule is wrong, or something of it is not right.

    `lines`: what the response says of a rule that can be read. A response without diagnostics is of one that can.
    """
    diagnostics = getattr(answer, "diagnostics", ())
    if as_json:
        click.echo(as_json_text(answer))
    else:
        for line in diagnostic_lines(diagnostics, rule) if diagnostics else lines:
            click.echo(line)
    click.get_current_context().exit(0 if is_right and not diagnostics else 1)


def as_json_text(answer: Any) -> str:
    """With the names of the proto, fields that hold nothing too."""
    return json_format.MessageToJson(
        answer, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, ensure_ascii=False
    )


def refuse_wrong(answer: Any, rule: Written) -> None:
    """InvalidInput that says what is wrong of the rule."""
    if answer.diagnostics:
        raise InvalidInput("\n".join(diagnostic_lines(answer.diagnostics, rule)))


def diagnostic_lines(diagnostics: Iterable[pb.Diagnostic], rule: Written) -> list[str]:
    """What is wrong, where, and what to write instead."""
    file = f"{rule.name}: " if rule.name else ""
    return [file + format_error(rule.text, d.line, d.column, d.message, d.suggestions) for d in diagnostics]
