"""`quanyu rule why`: explains why a person is in a segment or not, and when that changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import click
from google.protobuf import json_format

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.cli.rule.arguments import AS_OF, JSON, KNOWN_AT, KNOWN_BEFORE, RULE, RuleText, resolve_as_of
from quanyu.cli.rule.commands.diff import is_published_name
from quanyu.cli.rule.responses import finish, format_instant, require_people
from quanyu.cli.rule.source_options import open_source, source_options
from quanyu.cli.rule.sources.source import RuleSource
from quanyu.dsl import Clock
from quanyu.runtime.errors import NotFound

_WORDS = {
    pb.VERDICT_TRUE: "true",
    pb.VERDICT_FALSE: "false",
    pb.VERDICT_UNKNOWN: "unknown",
    pb.VERDICT_OUTSIDE: "outside",
}


@click.command()
@RULE
@click.option(
    "--person",
    required=True,
    metavar="ONEID|NAMESPACE:VALUE",
    help="OneID, or an identifier such as card:c7, which only a server can resolve.",
)
@AS_OF
@KNOWN_AT
@KNOWN_BEFORE
@source_options
@JSON
def why(
    rule: RuleText,
    person: str,
    as_of: str | None,
    known_at: int | None,
    known_before: str | None,
    as_json: bool,
    **where: Any,
) -> None:
    """Explains clause by clause why a person is in or not, and when that changes by time alone.

    RULE is a published segment (NAME or NAME@VERSION), or the text of a condition or segment.
    """
    with open_source(**where) as source:
        require_people(source, "why")
        asked = resolve_as_of(source, as_of, known_at, known_before)
        said = {"segment" if is_published_name(rule) else "text": rule.text}
        answer: pb.ExplainMembershipResponse = source.call(
            "ExplainMembership", person=_resolve_person(source, person), as_of=asked, **said
        )
        finish(answer, rule, verdict_lines(answer, source.evaluation_now().clock), as_json=as_json)


def _resolve_person(source: RuleSource, person: str) -> int:
    if person.isascii() and person.isdigit() and int(person) < 2**64:
        return int(person)
    namespace, _, value = person.rpartition(":")
    if not namespace:
        raise click.UsageError(f"--person {person!r}: give a OneID, or an identifier such as card:c7")
    found = source.resolve_person(event_pb2.Identifier(namespace=namespace, value=value))
    if not found:
        raise NotFound(f"{person}: no person has this identifier")
    return found


def verdict_lines(answer: pb.ExplainMembershipResponse, clock: Clock) -> Iterator[str]:
    """Yields the verdict of each clause with its facts, and the next change; instants are in the clock's zone."""
    yield f"{_WORDS[answer.verdict]} as of {format_instant(answer.basis.as_of, clock)} ({clock.zone})"
    yield from _clause_lines(answer.clauses, clock, "  ")
    flip = answer.flip
    if flip.HasField("at"):
        start = ("about " if flip.approximate else "") + format_instant(flip.at, clock)
        yield f"{_WORDS[flip.verdict]} from {start} on, if nothing happens: {flip.because}"
    elif flip.HasField("looked_until"):
        yield f"this does not change until {format_instant(flip.looked_until, clock)}, if nothing happens"


def _clause_lines(clauses: Iterable[pb.ClauseVerdict], clock: Clock, indent: str) -> Iterator[str]:
    for clause in clauses:
        yield f"{indent}{_WORDS[clause.verdict]}: {clause.text}" + (f": {clause.because}" if clause.because else "")
        yield from (f"{indent}  {_format_fact(witness, clock)}" for witness in clause.witnesses)
        if clause.more_events:
            yield f"{indent}  and {clause.more_events:,} more"
        yield from _clause_lines(clause.parts, clock, indent + "  ")


def _format_fact(witness: pb.Witness, clock: Clock) -> str:
    match witness.WhichOneof("fact"):
        case "event":
            event = witness.event
            properties = ", ".join(
                f"{name}: {_format_value(event.properties[name])}" for name in sorted(event.properties)
            )
            channel = f" in {event.channel}" if event.channel else ""
            return f"{event.type} at {format_instant(event.occurred_at, clock)}{channel} {{{properties}}}"
        case "attribute":
            known = witness.attribute
            return f"{known.name}: {_format_value(known.value) if known.HasField('value') else 'unknown'}"
        case "measure":
            measure = witness.measure
            return f"{measure.text} = {_format_value(measure.value) if measure.HasField('value') else 'unknown'}"
    recency = witness.recency
    return f"{recency.name}: {format_instant(recency.instant, clock) if recency.HasField('instant') else 'never'}"


def _format_value(value: event_pb2.Value) -> str:
    held = json_format.MessageToDict(value, preserving_proto_field_name=True)
    return ", ".join(str(part) for part in held.values())
