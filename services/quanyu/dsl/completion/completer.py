"""Completes a rule at a cursor with keywords that the parser accepts, and names and values that fit."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from quanyu.dsl import syntax as s
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.completion import grammar_candidates
from quanyu.dsl.completion.cursor import STATEMENTS, Cursor, locate_cursor
from quanyu.dsl.completion.expected_type import (
    ExpectedType,
    infer_expected_type,
    infer_type_before,
    resolve_scope,
)
from quanyu.dsl.completion.grammar_candidates import (
    VALUES,
    Candidate,
    Completion,
    CompletionKind,
    make_candidate,
)
from quanyu.dsl.completion.matching import find_matches, normalize
from quanyu.dsl.completion.name_candidates import NameCandidates
from quanyu.dsl.errors import RuleError
from quanyu.dsl.explaining.aliases import with_drafts
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import Library
from quanyu.dsl.model.types import BOOL
from quanyu.dsl.parsing.lexer import tokenize_prefix
from quanyu.dsl.parsing.parser import parse

CountPeople = Callable[[str, Sequence[str]], Mapping[str, int]]
MAX_COUNTED_VALUES = 200
_MAX_DRAFT_LENGTH = 20_000  # A longer text adds no names from its other statements.


@dataclass(frozen=True)
class Completions:
    """Completions at a cursor. Each item replaces the text from `start` to `end`, in characters.

    `more`: there are more items than the limit.
    """

    start: int
    end: int
    items: tuple[Completion, ...]
    more: bool = False


def complete(
    text: str, offset: int, catalog: Catalog, library: Library, limit: int = 50, count_people: CountPeople | None = None
) -> Completions:
    """Suggests completions for the word or gap at `offset`, which counts characters.

    The text after the cursor and the other statements may contain errors. There are no completions in a comment, or
    after an error in the same statement. `count_people(attribute or "channel", values)` returns the number of people
    with each value; the most frequent values come first.
    """
    cursor = locate_cursor(text, offset)
    if cursor is None:
        return Completions(offset, offset, ())
    found = _Completer(cursor, catalog, _add_drafts(cursor, catalog, library)).list_items(count_people, limit + 1)
    return Completions(cursor.start, cursor.end, tuple(found[:limit]), len(found) > limit)


class _Completer:
    def __init__(self, cursor: Cursor, catalog: Catalog, library: Library) -> None:
        self._cursor = cursor
        self._scope = resolve_scope(cursor, Scope(catalog, library))
        self._expected = infer_expected_type(cursor, self._scope)

    def list_items(self, count_people: CountPeople | None, most: int) -> list[Completion]:
        """Returns at most `most` items: those that begin with the typed word, then those that contain it."""
        typed = normalize(self._cursor.typed)
        begins, contains = self._values(count_people, most)
        for candidate in self._candidates():
            names = map(normalize, candidate.names) if typed else ("",)
            found = [name.find(typed) for name in names if typed in name]
            if found:
                (contains if min(found) else begins).append(candidate)
        items: dict[Completion, None] = {}
        groups = (sorted(group, key=lambda candidate: candidate.order) for group in (begins, contains))
        for candidate in itertools.chain.from_iterable(groups):
            items[candidate.make_item()] = None
            if len(items) == most:
                break
        return list(items)

    def _candidates(self) -> Iterator[Candidate]:
        cursor, accepted = self._cursor, self._cursor.accepts()
        if "NAME" in accepted and cursor.quote in ("", "`"):
            yield from NameCandidates(cursor, self._scope, self._expected).list_names()
        if cursor.quote:
            return
        if "VERSION" in accepted:
            yield from NameCandidates(cursor, self._scope, self._expected).list_versions()
        if "NAME" in accepted and self._expected.type == BOOL:
            yield from grammar_candidates.list_booleans(cursor)
        yield from grammar_candidates.list_keywords(cursor)
        fits_window = partial(_can_be_in_window, infer_type_before(cursor, self._scope))
        yield from grammar_candidates.list_windows(cursor, fits_window)
        yield from grammar_candidates.list_settings(cursor)
        yield from grammar_candidates.list_examples(cursor, self._expected.fits)
        if not cursor.typed:
            yield from grammar_candidates.list_signs(cursor)

    def _values(self, count_people: CountPeople | None, most: int) -> tuple[list[Candidate], list[Candidate]]:
        """Returns the declared values of the other operand, the most frequent first if few enough match.

        The first list begins with the typed word, the second list contains it.
        """
        cursor, expected = self._cursor, self._expected
        values = expected.type.values if expected.type and not expected.type.literal else ()
        if not values or "STRING" not in cursor.accepts() or cursor.quote == "`":
            return [], []
        begins, contains = find_matches(values, cursor.typed, max(most, MAX_COUNTED_VALUES + 1))
        people: Mapping[str, int] = {}
        if count_people is not None and expected.attribute and len(begins) + len(contains) <= MAX_COUNTED_VALUES:
            people = count_people(expected.attribute, [*begins, *contains])
        kind: CompletionKind = "channel" if values is self._scope.catalog.channels else "value"
        mark = cursor.quote or "'"

        def make_candidates(matching: list[str]) -> list[Candidate]:
            ordered = sorted(matching, key=lambda value: -people.get(value, 0))
            texts = ((value, mark + value.replace(mark, mark * 2) + mark) for value in ordered)
            items = (Completion(text, value, kind, "", people.get(value)) for value, text in texts)
            return [make_candidate(item, VALUES) for item in items]

        return make_candidates(begins), make_candidates(contains)


def _can_be_in_window(tested: ExpectedType, whole_days: bool) -> bool:
    """Tells whether the value before the cursor can be in a window. A date can only be in whole days (T13)."""
    kind = tested.type.kind if tested.type else "instant"
    return kind in ("instant", "recency") or (kind == "date" and whole_days)


def _add_drafts(cursor: Cursor, catalog: Catalog, library: Library) -> Library:
    """Returns the library with the other statements of the text that parse."""
    if len(cursor.text) > _MAX_DRAFT_LENGTH:
        return library
    others = [statement for chunk in _list_other_statements(cursor) for statement in _parse(chunk)]
    return with_drafts(others, catalog, library) if others else library


def _list_other_statements(cursor: Cursor) -> Iterator[str]:
    starts = [token.start_pos or 0 for token in tokenize_prefix(cursor.text) if token.type in STATEMENTS]
    for start, end in itertools.pairwise([*starts, len(cursor.text) + 1]):
        if not start <= cursor.start < end:
            yield cursor.text[start:end]


@lru_cache(maxsize=256)
def _parse(chunk: str) -> tuple[s.Statement, ...]:
    try:
        return parse(chunk).statements
    except RuleError:
        return ()
