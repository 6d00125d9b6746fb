"""Refusals and outcomes of splits become errors that tell what to do."""

from __future__ import annotations

import pytest

from quanyu.api.event.v1 import event_pb2
from quanyu.identity.domain import Split, split_error, split_result
from quanyu.runtime.errors import Conflict, DomainError, FailedPrecondition, InvalidInput, NotFound

IDENTIFIERS = [event_pb2.Identifier(namespace="phone", value="1"), event_pb2.Identifier(namespace="card", value="c7")]


@pytest.mark.parametrize(
    ("reason", "kind", "says"),
    [
        ("UNKNOWN_PERSON", NotFound, "there is no person 5"),
        ("NOT_OF_PERSON", InvalidInput, r"identifiers\[1\]: card 'c7' does not belong to person 5; GetPerson"),
        ("NOTHING_LEAVES", InvalidInput, "identifiers is empty; list those that leave"),
        ("NOTHING_STAYS", InvalidInput, "all identifiers of person 5; leave out those that stay"),
    ],
)
def test_each_refusal_is_an_error_with_its_reason(reason: str, kind: type[DomainError], says: str) -> None:
    with pytest.raises(kind, match=says) as caught:
        raise split_error((reason, 1), 5, IDENTIFIERS)
    assert caught.value.reason == reason


def test_a_split_is_the_two_persons_and_the_offset() -> None:
    assert split_result(("SPLIT", 5, 9, 12)) == Split(kept=5, parted=9, raw_offset=12)


@pytest.mark.parametrize(
    ("outcome", "kind", "says"),
    [
        (("VOID", 0, 0, 0), FailedPrecondition, "nothing was split"),
        (None, FailedPrecondition, "nothing was split"),
        (("CONFLICT", 0, 0, 0), Conflict, "use a new one for each"),
        (("ERASED", 0, 0, 0), Conflict, "use a new one for each"),
    ],
)
def test_an_outcome_without_a_split_is_an_error(
    outcome: tuple[str, int, int, int] | None, kind: type[DomainError], says: str
) -> None:
    with pytest.raises(kind, match=says):
        split_result(outcome)
