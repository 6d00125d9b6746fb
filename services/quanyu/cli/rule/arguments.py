"""Arguments and options that several `quanyu rule` commands share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from google.protobuf.timestamp_pb2 import Timestamp

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.cli.rule.rule_language import MESSAGES
from quanyu.cli.rule.sources.source import RuleSource
from quanyu.dsl import Language
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import timestamp


@dataclass(frozen=True, slots=True)
class RuleText:
    """The text of a rule, and the name of the file that holds it (empty if there is none)."""

    name: str
    text: str


class RuleParam(click.ParamType[RuleText]):
    """Accepts the text of a rule, the name of a file, or `-` for standard input."""

    name = "rule"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> RuleText:
        if isinstance(value, RuleText):
            return value
        if value == "-":
            return RuleText("", click.open_file("-", encoding="utf-8").read())
        if os.path.isfile(value):
            try:
                return RuleText(value, Path(value).read_text(encoding="utf-8-sig"))
            except (OSError, UnicodeDecodeError) as error:
                self.fail(f"{value} cannot be read: {error}", param, ctx)
        if value.endswith(".rule"):
            self.fail(f"there is no file {value}", param, ctx)
        return RuleText("", value)


RULE = click.argument("rule", type=RuleParam(), metavar="RULE")
JSON = click.option("--json", "as_json", is_flag=True, help="Prints the response message as JSON.")
AS_OF = click.option(
    "--as-of", help="Instant in the workspace's zone, such as 2026-01-31 or 2026-01-31T08:00; default: now."
)
KNOWN_AT = click.option(
    "--known-at", type=click.IntRange(0, 2**63 - 1), help="Leaves out what arrived after this raw offset."
)
KNOWN_BEFORE = click.option("--known-before", help="Leaves out what arrived at or after this instant.")


def _language(ctx: click.Context, param: click.Parameter, value: Language) -> pb.Language:
    return MESSAGES[value]


LANGUAGE = click.option(
    "--lang",
    "language",
    type=click.Choice(list(MESSAGES)),
    default="en",
    show_default=True,
    callback=_language,
    help="Language of the answer: English or Chinese.",
)


def resolve_as_of(
    source: RuleSource, as_of: str | None, known_at: int | None = None, known_before: str | None = None
) -> pb.AsOf:
    """Returns the instants that the options of the same names mean in the workspace.

    Raises InvalidInput if a text is not a time.
    """
    as_of_message = pb.AsOf(known_at=known_at)
    if as_of is not None:
        as_of_message.instant.CopyFrom(_parse_instant("--as-of", as_of, source))
    if known_before is not None:
        as_of_message.known_before.CopyFrom(_parse_instant("--known-before", known_before, source))
    return as_of_message


def _parse_instant(option: str, text: str, source: RuleSource) -> Timestamp:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"{option} {text!r}: write a date or time such as 2026-01-31 or 2026-01-31T08:00"
        raise InvalidInput(message) from None
    if not 1900 <= moment.year <= 9998:
        raise InvalidInput(f"{option} {text!r}: give an instant of the years 1900 to 9998")
    if moment.tzinfo is None:
        return timestamp(source.evaluation_now().clock.wall_ms(moment))
    return timestamp(int(moment.timestamp() * 1000))
