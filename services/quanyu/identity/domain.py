"""Converts the refusals and outcomes of splits to errors and results."""

from __future__ import annotations

from dataclasses import dataclass

from quanyu.api.event.v1 import event_pb2
from quanyu.runtime.errors import Conflict, DomainError, FailedPrecondition, InvalidInput, NotFound


@dataclass(frozen=True, slots=True)
class Split:
    """Two persons that were one, and the raw offset from which on they are separate."""

    kept: int
    parted: int
    raw_offset: int


def split_error(refusal: tuple[str, int], person: int, identifiers: list[event_pb2.Identifier]) -> DomainError:
    """Returns the error for a refusal of `Resolver.refusal`."""
    reason, position = refusal
    if reason == "UNKNOWN_PERSON":
        return NotFound(f"there is no person {person}", reason=reason)
    if reason == "NOT_OF_PERSON":
        given = identifiers[position]
        return InvalidInput(
            f"identifiers[{position}]: {given.namespace} {given.value[:80]!r} does not belong to person {person}; "
            "GetPerson lists those that do",
            reason=reason,
            field=f"identifiers[{position}]",
        )
    if reason == "NOTHING_LEAVES":
        return InvalidInput(
            "identifiers is empty; list those that leave the person", reason=reason, field="identifiers"
        )
    return InvalidInput(
        f"identifiers: these are all identifiers of person {person}; leave out those that stay",
        reason=reason,
        field="identifiers",
    )


def split_result(outcome: tuple[str, int, int, int] | None) -> Split:
    """Returns the split for an outcome of `Resolver.outcome`; raises a DomainError if nothing was split."""
    kind, kept, parted, raw_offset = outcome or ("VOID", 0, 0, 0)
    if kind == "SPLIT":
        return Split(kept, parted, raw_offset)
    if kind == "VOID":
        raise FailedPrecondition(
            "the person changed before this decision, so nothing was split; read it (GetPerson) and decide with a new "
            "idempotency_key",
            reason="VOID_DECISION",
        )
    raise Conflict(
        "idempotency_key was used for another decision; use a new one for each",
        reason="CONFLICT",
        field="idempotency_key",
    )
