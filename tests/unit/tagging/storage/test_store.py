"""Queries for rules, proposals and drafts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.runtime.errors import NotFound
from quanyu.runtime.storage.database import Base, Database
from quanyu.tagging.storage.store import (
    decide_proposal,
    drafts_after,
    find_proposal,
    find_rule,
    get_rule,
    open_proposal,
    proposals_before,
    rules_after,
)
from quanyu.tagging.storage.tables import APPROVED, OPEN, REJECTED, Draft, Proposal, PublishedRule
from tests.seed import examples


@examples(25)
@given(
    versions=st.lists(st.tuples(st.sampled_from(["a", "b", "客户", "z"]), st.integers(1, 5)), unique=True, max_size=12),
    limit=st.integers(1, 5),
)
def test_pages_of_rules_are_complete_and_in_order(versions: list[tuple[str, int]], limit: int) -> None:
    database = Database("sqlite://")
    Base.metadata.create_all(database.engine, [Base.metadata.tables[PublishedRule.__tablename__]])
    with database.writing() as session:
        for workspace in ("shop", "other"):
            for name, version in versions:
                session.add(
                    PublishedRule(
                        workspace=workspace,
                        name=name,
                        version=version,
                        kind="define",
                        text="",
                        author="",
                        published_at_ms=0,
                    )
                )
    found: list[tuple[str, int]] = []
    with database.reading() as session:
        while page := rules_after(session, "shop", *(found[-1] if found else ("", 0)), limit):
            found += [(rule.name, rule.version) for rule in page]
        newest = {name: find_rule(session, "shop", name, 0) for name, _ in versions}
    database.close()
    assert found == sorted(versions)
    assert {name: rule.version for name, rule in newest.items() if rule} == {
        name: max(v for n, v in versions if n == name) for name, _ in versions
    }


def test_an_unpublished_version_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound, match="no rule s@1 is published"):
        get_rule(database, "shop", "s", 1)


def proposal(text: str, author: str = "ann", workspace: str = "shop") -> Proposal:
    return Proposal(workspace=workspace, text=text, author=author, note="", impact=b"", proposed_at_ms=1, state=OPEN)


def test_an_open_proposal_is_decided_once(database: Database) -> None:
    with database.writing() as session:
        session.add(proposal("a"))
    with database.writing() as session:
        assert decide_proposal(session, 1, APPROVED, "bob", "fine", 5)
        assert not decide_proposal(session, 1, REJECTED, "cid", "no", 6)
        assert not decide_proposal(session, 2, REJECTED, "cid", "no", 6)
    with database.reading() as session:
        found = find_proposal(session, "shop", 1)
    assert found is not None
    assert (found.state, found.decided_by, found.decision_note, found.decided_at_ms) == (APPROVED, "bob", "fine", 5)


def test_only_the_undecided_proposal_of_the_same_text_and_author_is_open(database: Database) -> None:
    with database.writing() as session:
        session.add_all([proposal("a"), proposal("b"), proposal("a", workspace="other")])
    with database.writing() as session:
        decide_proposal(session, 2, REJECTED, "bob", "", 5)
    with database.reading() as session:
        found = [open_proposal(session, "shop", *key) for key in (("a", "ann"), ("b", "ann"), ("a", "bob"))]
    assert [one and one.id for one in found] == [1, None, None]


def test_proposals_are_listed_newest_first_and_by_state(database: Database) -> None:
    with database.writing() as session:
        session.add_all([proposal(text) for text in "abcd"])
        session.add(proposal("a", workspace="other"))
    with database.writing() as session:
        decide_proposal(session, 3, REJECTED, "bob", "", 5)
    with database.reading() as session:

        def listed(state: str | None, before: int, limit: int) -> list[int]:
            return [one.id for one in proposals_before(session, "shop", state, before, limit)]

        assert listed(None, 0, 9) == [4, 3, 2, 1]
        assert listed(None, 4, 2) == [3, 2]
        assert (listed(OPEN, 0, 9), listed(REJECTED, 0, 9)) == ([4, 2, 1], [3])


def test_drafts_are_listed_by_name(database: Database) -> None:
    with database.writing() as session:
        for workspace, name in [("shop", "b"), ("shop", "a"), ("shop", "c"), ("other", "d")]:
            session.add(Draft(workspace=workspace, name=name, text="", revision=1, author="", saved_at_ms=0))
    with database.reading() as session:
        assert [draft.name for draft in drafts_after(session, "shop", "", 2)] == ["a", "b"]
        assert [draft.name for draft in drafts_after(session, "shop", "b", 2)] == ["c"]
