"""The commands about people: preview and why."""

from __future__ import annotations

from typing import Any

import click

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.cli.rule.differences import is_published
from quanyu.cli.rule.options import (
    AS_OF,
    JSON,
    KNOWN_AT,
    KNOWN_BEFORE,
    RULE,
    Written,
    as_of_message,
    one_source,
    sources,
    where_options,
)
from quanyu.cli.rule.output import as_json_text, finish, refuse_wrong
from quanyu.cli.rule.previews import print_preview
from quanyu.cli.rule.reasons import reason_lines
from quanyu.cli.rule.sources import Source
from quanyu.runtime.errors import InvalidInput, NotFound


@click.command("preview")
@RULE
@AS_OF
@KNOWN_AT
@KNOWN_BEFORE
@click.option("--sample", type=click.IntRange(0, 100), default=0, help="Shows so many people of each set.")
@where_options
@JSON
def preview_command(
    rule: Written,
    as_of: str | None,
    known_at: int | None,
    known_before: str | None,
    sample: int,
    as_json: bool,
    **where: Any,
) -> None:
    """Counts whom a RULE means: a condition, or the text of a segment or tag.

    In a data folder without --workspace, in each one that has the rule's names.
    """
    refusals: list[InvalidInput] = []
    with sources(**where) as found:
        for source in found:
            _need_people(source, "preview")
            try:
                asked = as_of_message(source, as_of, known_at, known_before)
                answer: pb.PreviewRuleResponse = source.ask("PreviewRule", text=rule.text, as_of=asked, sample=sample)
                if as_json:
                    click.echo(as_json_text(answer))
                refuse_wrong(answer, rule)
            except InvalidInput as refusal:
                refusals.append(refusal)
                continue
            if not as_json:
                if len(found) > 1:
                    click.echo(f"In workspace {source.workspace}:")
                print_preview(answer, source.evaluation_now().clock)
        if len(refusals) == len(found):
            raise refusals[0]


@click.command("why")
@RULE
@click.option("--person", required=True, metavar="ONEID|NAMESPACE:VALUE", help="Such as card:c7; a server knows whose.")
@AS_OF
@KNOWN_AT
@KNOWN_BEFORE
@where_options
@JSON
def why_command(
    rule: Written,
    person: str,
    as_of: str | None,
    known_at: int | None,
    known_before: str | None,
    as_json: bool,
    **where: Any,
) -> None:
    """Says why a person is in or not, clause by clause, and when that changes if nothing happens.

    RULE is a published segment (NAME or NAME@VERSION), or a condition or segment as a text.
    """
    with one_source(**where) as source:
        _need_people(source, "why")
        asked = as_of_message(source, as_of, known_at, known_before)
        said = {"segment" if is_published(rule) else "text": rule.text}
        answer: pb.ExplainMembershipResponse = source.ask(
            "ExplainMembership", person=_oneid(source, person), as_of=asked, **said
        )
        finish(answer, rule, reason_lines(answer, source.evaluation_now().clock), as_json=as_json)


def _oneid(source: Source, person: str) -> int:
    if person.isascii() and person.isdigit() and int(person) < 2**64:
        return int(person)
    namespace, _, value = person.rpartition(":")
    if not namespace:
        raise click.UsageError(f"--person {person!r}: give a OneID, or an identifier such as card:c7")
    found = source.person(event_pb2.Identifier(namespace=namespace, value=value))
    if not found:
        raise NotFound(f"{person}: nobody was ever seen with it")
    return found


def _need_people(source: Source, what: str) -> None:
    if not source.has_people:
        raise click.UsageError(f"{what} is about people, and a catalog has none: give --server or --data")
