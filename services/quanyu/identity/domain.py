"""Decisions by hand: what is refused before it is written, and what came of what was."""

from __future__ import annotations

from dataclasses import dataclass

from quanyu.api.event.v1 import event_pb2
from quanyu.runtime.errors import Conflict, DomainError, FailedPrecondition, InvalidInput, NotFound


@dataclass(frozen=True, slots=True)
class Split:
    """Two persons that were one, and the raw offset from which on they are two."""

    kept: int
    parted: int
    raw_offset: int


def refused(refusal: tuple[str, int], person: int, identifiers: list[event_pb2.Identifier]) -> DomainError:
    """Of `Resolver.refusal`: what is wrong with a split, and what to do."""
    reason, position = refusal
    if reason == "UNKNOWN_PERSON":
        return NotFound(f"there is no person {person}", reason=reason)
    if reason == "NOT_OF_PERSON":
        given = identifiers[position]
        return InvalidInput(
            f"identifiers[{position}]: {given.namespace} {given.value[:80]!r} is not of person {person}; "
            "GetPerson says which are",
            reason=reason,
            field=f"identifiers[{position}]",
        )
    if reason == "NOTHING_LEAVES":
        return InvalidInput("identifiers is empty; say which leave the person", reason=reason, field="identifiers")
    return InvalidInput(
        f"identifiers: these are all that person {person} has; leave out those that stay",
        reason=reason,
        field="identifiers",
    )


def carried_out(outcome: tuple[str, int, int, int] | None) -> Split:
    """Of `Resolver.outcome`, once the decision is folded."""
    kind, kept, parted, raw_offset = outcome or ("VOID", 0, 0, 0)
    if kind == "SPLIT":
        return Split(kept, parted, raw_offset)
    if kind == "VOID":
        raise FailedPrecondition(
            "the person was another one by the time this was decided, and stays as it is; look again (GetPerson) and "
            "decide with a new idempotency_key",
            reason="VOID_DECISION",
        )
    raise Conflict(
        "idempotency_key was used for another decision; use a new one for each",
        reason="CONFLICT",
        field="idempotency_key",
    )
