"""Drafts: texts that need not be right, saved by whoever read the revision before."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from quanyu.dsl.parsing.parser import MAX_TEXT
from quanyu.runtime.errors import Conflict, InvalidInput, NotFound
from quanyu.runtime.instants import now_ms
from quanyu.runtime.storage.database import Database
from quanyu.tagging.storage.tables import LONGEST_NAME, Draft


def save_draft(database: Database, workspace: str, name: str, text: str, revision: int, author: str) -> Draft:
    """The draft as saved, or as it was if the same was saved before. Conflict if another revision is there."""
    if not 1 <= len(name) <= LONGEST_NAME:
        raise InvalidInput(f"name: 1 to {LONGEST_NAME} characters", reason="DRAFT_NAME", field="name")
    if len(text) > MAX_TEXT:
        raise InvalidInput(f"text: at most {MAX_TEXT:,} characters", reason="DRAFT_TOO_LONG", field="text")
    try:
        with database.writing() as session:
            draft = session.get(Draft, (workspace, name), with_for_update=True)
            if draft is None:
                draft = Draft(workspace=workspace, name=name, text="", revision=0, author="", saved_at_ms=0)
                session.add(draft)
            elif (draft.revision, draft.text, draft.author) == (revision + 1, text, author):
                return draft
            if draft.revision != revision:
                raise _revision_conflict(draft, revision)
            draft.text, draft.author, draft.revision, draft.saved_at_ms = text, author, revision + 1, now_ms()
            return draft
    except IntegrityError as error:
        raise Conflict(f"draft {name} was made by somebody else just now; read it", reason="DRAFT_CHANGED") from error


def get_draft(database: Database, workspace: str, name: str) -> Draft:
    """NotFound if there is none."""
    with database.reading() as session:
        draft = session.get(Draft, (workspace, name))
    if draft is None:
        raise NotFound(f"there is no draft {name}; see ListDrafts", reason="UNKNOWN_DRAFT")
    return draft


def _revision_conflict(draft: Draft, revision: int) -> Conflict:
    there = (
        f"is at revision {draft.revision}, saved by {draft.author or 'somebody'}" if draft.revision else "is not there"
    )
    return Conflict(
        f"draft {draft.name} {there}, not at {revision}: read it, and save on top of that",
        reason="DRAFT_CHANGED",
        revision=str(draft.revision),
    )
