"""Drafts: texts that may have errors. A save names the revision that it replaces, so no save is lost."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from quanyu.dsl.parsing.parser import MAX_TEXT
from quanyu.runtime.errors import Conflict, InvalidInput, NotFound
from quanyu.runtime.instants import now_ms
from quanyu.runtime.storage.database import Database
from quanyu.tagging.storage.tables import LONGEST_NAME, Draft


def save_draft(database: Database, workspace: str, name: str, text: str, revision: int, author: str) -> Draft:
    """Saves a draft on top of `revision`; 0 makes a new draft. Saving the same again changes nothing.

    Raises Conflict if the stored draft has another revision.
    """
    if not 1 <= len(name) <= LONGEST_NAME:
        raise InvalidInput(f"name: use 1 to {LONGEST_NAME} characters", reason="DRAFT_NAME", field="name")
    if len(text) > MAX_TEXT:
        raise InvalidInput(f"text: use at most {MAX_TEXT:,} characters", reason="DRAFT_TOO_LONG", field="text")
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
        raise Conflict(f"somebody else has just made draft {name}; read it first", reason="DRAFT_CHANGED") from error


def get_draft(database: Database, workspace: str, name: str) -> Draft:
    """Returns a draft. Raises NotFound if there is no such draft."""
    with database.reading() as session:
        draft = session.get(Draft, (workspace, name))
    if draft is None:
        raise NotFound(f"there is no draft {name}; see ListDrafts", reason="UNKNOWN_DRAFT")
    return draft


def _revision_conflict(draft: Draft, revision: int) -> Conflict:
    """Returns the error of a caller who read the draft at `revision` before another author saved it."""
    author = draft.author or "an unnamed author"
    found = f"is at revision {draft.revision}, saved by {author}" if draft.revision else "does not exist"
    return Conflict(
        f"draft {draft.name} {found}, not at revision {revision}: read it, and save on top of what you read",
        reason="DRAFT_CHANGED",
        revision=str(draft.revision),
    )
