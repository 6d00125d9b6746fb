"""`quanyu rule why`: verdicts with their facts, and when the whole one changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf import json_format

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.cli.rule.previews import local
from quanyu.dsl import Clock

_WORDS = {
    pb.VERDICT_TRUE: "true",
    pb.VERDICT_FALSE: "false",
    pb.VERDICT_UNKNOWN: "unknown",
    pb.VERDICT_OUTSIDE: "outside",
}


def reason_lines(answer: pb.ExplainMembershipResponse, clock: Clock) -> Iterator[str]:
    """Instants are shown in the clock's zone."""
    yield f"{_WORDS[answer.verdict]} as of {local(answer.basis.as_of, clock)} ({clock.zone})"
    yield from _clause_lines(answer.clauses, clock, "  ")
    flip = answer.flip
    if flip.HasField("at"):
        about = "about " if flip.approximate else ""
        yield f"{_WORDS[flip.verdict]} from {about}{local(flip.at, clock)} on, if nothing happens: {flip.because}"
    elif flip.HasField("looked_until"):
        yield f"that stays so until {local(flip.looked_until, clock)}, if nothing happens"


def _clause_lines(clauses: Iterable[pb.ClauseVerdict], clock: Clock, indent: str) -> Iterator[str]:
    for clause in clauses:
        yield f"{indent}{_WORDS[clause.verdict]}: {clause.text}" + (f": {clause.because}" if clause.because else "")
        yield from (f"{indent}  {_fact(witness, clock)}" for witness in clause.witnesses)
        if clause.more_events:
            yield f"{indent}  and {clause.more_events:,} more"
        yield from _clause_lines(clause.parts, clock, indent + "  ")


def _fact(witness: pb.Witness, clock: Clock) -> str:
    match witness.WhichOneof("fact"):
        case "event":
            event = witness.event
            properties = ", ".join(f"{name}: {_value(event.properties[name])}" for name in sorted(event.properties))
            channel = f" in {event.channel}" if event.channel else ""
            return f"{event.type} at {local(event.occurred_at, clock)}{channel} {{{properties}}}"
        case "attribute":
            known = witness.attribute
            return f"{known.name}: {_value(known.value) if known.HasField('value') else 'unknown'}"
        case "measure":
            measure = witness.measure
            return f"{measure.text} = {_value(measure.value) if measure.HasField('value') else 'unknown'}"
    recency = witness.recency
    return f"{recency.name}: {local(recency.instant, clock) if recency.HasField('instant') else 'never'}"


def _value(value: event_pb2.Value) -> str:
    held = json_format.MessageToDict(value, preserving_proto_field_name=True)
    return ", ".join(str(part) for part in held.values())
