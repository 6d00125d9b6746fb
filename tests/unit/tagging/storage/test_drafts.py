"""Drafts: each save replaces the revision that its author read."""

from __future__ import annotations

import pytest

from quanyu.dsl.parsing.parser import MAX_TEXT
from quanyu.runtime.errors import Conflict, InvalidInput, NotFound
from quanyu.runtime.storage.database import Database
from quanyu.tagging.storage.drafts import get_draft, save_draft
from quanyu.tagging.storage.tables import LONGEST_NAME


def test_each_save_makes_the_next_revision(database: Database) -> None:
    assert save_draft(database, "shop", "d", "city =", 0, "ann").revision == 1
    assert save_draft(database, "shop", "d", "city = 'a'", 1, "bob").revision == 2
    found = get_draft(database, "shop", "d")
    assert (found.text, found.revision, found.author) == ("city = 'a'", 2, "bob")


def test_saving_the_same_again_changes_nothing(database: Database) -> None:
    first = save_draft(database, "shop", "d", "city =", 0, "ann")
    again = save_draft(database, "shop", "d", "city =", 0, "ann")
    assert (again.revision, again.saved_at_ms) == (1, first.saved_at_ms)


@pytest.mark.parametrize(
    ("revision", "text", "author"),
    [(0, "other", "bob"), (0, "second", "eve"), (3, "other", "bob"), (1, "first", "ann")],
)
def test_a_save_on_top_of_another_revision_is_a_conflict(
    database: Database, revision: int, text: str, author: str
) -> None:
    save_draft(database, "shop", "d", "first", 0, "ann")
    save_draft(database, "shop", "d", "second", 1, "bob")
    with pytest.raises(Conflict, match="draft d is at revision 2, saved by bob, not at revision") as caught:
        save_draft(database, "shop", "d", text, revision, author)
    assert (caught.value.reason, caught.value.metadata["revision"]) == ("DRAFT_CHANGED", "2")
    assert get_draft(database, "shop", "d").text == "second"


def test_a_new_draft_has_no_revision_to_replace(database: Database) -> None:
    with pytest.raises(Conflict, match="draft d does not exist"):
        save_draft(database, "shop", "d", "text", 1, "ann")
    with pytest.raises(NotFound):
        get_draft(database, "shop", "d")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("", "", "DRAFT_NAME"),
        ("d" * (LONGEST_NAME + 1), "", "DRAFT_NAME"),
        ("d", "t" * (MAX_TEXT + 1), "DRAFT_TOO_LONG"),
    ],
)
def test_a_draft_has_a_name_and_fits_the_parser(database: Database, name: str, text: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        save_draft(database, "shop", name, text, 0, "ann")
    assert caught.value.reason == reason
