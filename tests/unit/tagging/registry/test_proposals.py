"""Proposals: each is decided once, by a person other than its author."""

from __future__ import annotations

import pytest

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.runtime.errors import Conflict, FailedPrecondition, InvalidInput, NotFound
from quanyu.runtime.storage.database import Database
from quanyu.tagging.registry.proposals import LONGEST_NOTE, Decision, decide, get_proposal, propose
from quanyu.tagging.registry.publishing import publish
from quanyu.tagging.storage.store import all_rules
from quanyu.tagging.storage.tables import APPROVED, LONGEST_NAME, OPEN, REJECTED, Proposal
from tests.unit.tagging.sample_workspace import PublishingShop

TEXT = "segment locals: city = 'Beijing'"


@pytest.fixture
def shop() -> PublishingShop:
    return PublishingShop()


def proposed(
    database: Database, shop: PublishingShop, text: str = TEXT, author: str = "ann", note: str = ""
) -> Proposal:
    return propose(database, shop, text, author, note)  # type: ignore[arg-type]


def decided(
    database: Database, shop: PublishingShop, proposal: Proposal, state: str, by: str = "bob"
) -> tuple[str, list[str]]:
    found, rules = decide(database, shop, proposal.id, Decision(state, by, "note"))  # type: ignore[arg-type]
    return found.state, [rule.text for rule in rules]


def test_an_approval_publishes_the_text_under_its_author(database: Database, shop: PublishingShop) -> None:
    proposal = proposed(database, shop)
    assert shop.library.newest("locals") == 0
    assert decided(database, shop, proposal, APPROVED) == (APPROVED, ["segment locals@1: city = 'Beijing'"])
    with database.reading() as session:
        assert [rule.author for rule in all_rules(session, "shop")] == ["ann"]


def test_a_rejection_publishes_nothing(database: Database, shop: PublishingShop) -> None:
    proposal = proposed(database, shop)
    assert decided(database, shop, proposal, REJECTED, by="ann") == (REJECTED, [])
    assert shop.library.newest("locals") == 0


def test_the_same_decision_again_changes_nothing(database: Database, shop: PublishingShop) -> None:
    proposal = proposed(database, shop)
    first = decided(database, shop, proposal, APPROVED)
    assert decided(database, shop, proposal, APPROVED, by="cid") == first
    assert get_proposal(database, "shop", proposal.id).decided_by == "bob"


def test_the_opposite_decision_is_a_conflict(database: Database, shop: PublishingShop) -> None:
    proposal = proposed(database, shop)
    decided(database, shop, proposal, REJECTED)
    with pytest.raises(Conflict, match="was rejected by bob") as caught:
        decided(database, shop, proposal, APPROVED)
    assert (caught.value.reason, caught.value.metadata["state"]) == ("PROPOSAL_DECIDED", REJECTED)


def test_an_author_cannot_approve_their_own_proposal(database: Database, shop: PublishingShop) -> None:
    proposal = proposed(database, shop)
    with pytest.raises(FailedPrecondition, match="another person must approve it") as caught:
        decided(database, shop, proposal, APPROVED, by="ann")
    assert caught.value.reason == "SELF_APPROVAL"
    assert get_proposal(database, "shop", proposal.id).state == OPEN


def test_a_proposal_whose_version_was_taken_stays_open(database: Database, shop: PublishingShop) -> None:
    proposal = proposed(database, shop)
    publish(database, shop, "segment locals: city = 'Harbin'", "eve")  # type: ignore[arg-type]
    with pytest.raises(FailedPrecondition, match="locals@1 was published by eve: segment locals@1") as caught:
        decided(database, shop, proposal, APPROVED)
    assert caught.value.reason == "PROPOSAL_OUTDATED"
    assert get_proposal(database, "shop", proposal.id).state == OPEN


def test_proposing_the_same_again_returns_the_open_proposal(database: Database, shop: PublishingShop) -> None:
    first = proposed(database, shop)
    assert proposed(database, shop, "segment locals:   city = 'Beijing'").id == first.id
    assert proposed(database, shop, author="bob").id != first.id
    decided(database, shop, first, REJECTED)
    assert proposed(database, shop).id != first.id


def test_a_published_text_is_not_proposed(database: Database, shop: PublishingShop) -> None:
    publish(database, shop, TEXT, "ann")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput) as caught:
        proposed(database, shop, "segment locals@1: city = 'Beijing'")
    assert caught.value.reason == "NOTHING_TO_PROPOSE"


def test_a_stored_impact_has_counts_but_no_people(database: Database, shop: PublishingShop) -> None:
    publish(database, shop, TEXT, "ann")  # type: ignore[arg-type]
    proposal = proposed(database, shop, "segment locals@2: city = 'Harbin'")
    ((comparison,),) = [change.comparisons for change in pb.DescribeImpactResponse.FromString(proposal.impact).changed]
    assert (comparison.entering, comparison.leaving) == (1, 2)
    people = ("entering_sample", "leaving_sample", "entering_clauses", "leaving_clauses")
    assert [list(getattr(comparison, field)) for field in people] == [[], [], [], []]


@pytest.mark.parametrize(
    ("author", "note", "reason"),
    [
        (" ", "", "MISSING_PERSON"),
        ("a" * (LONGEST_NAME + 1), "", "MISSING_PERSON"),
        ("ann", "n" * (LONGEST_NOTE + 1), "NOTE_TOO_LONG"),
    ],
)
def test_a_proposal_needs_an_author_and_a_short_note(
    database: Database, shop: PublishingShop, author: str, note: str, reason: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        proposed(database, shop, author=author, note=note)
    assert caught.value.reason == reason


def test_a_proposal_of_another_workspace_is_not_found(database: Database, shop: PublishingShop) -> None:
    proposal = proposed(database, shop)
    with pytest.raises(NotFound):
        get_proposal(database, "other", proposal.id)
