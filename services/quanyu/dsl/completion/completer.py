"""What may stand at a cursor: keywords that the parser accepts there, names and values of the catalog that fit."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from quanyu.dsl import syntax as s
from quanyu.dsl.binding.names import Scope
from quanyu.dsl.completion import grammar_candidates as offers
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

Counted = Callable[[str, Sequence[str]], Mapping[str, int]]
MOST_COUNTED = 200  # values of which it is asked how many people hold each
_MOST_DRAFTED = 20_000  # characters of a text whose other statements are looked through for names


@dataclass(frozen=True)
class Completions:
    """Text from `start` to `end`, in characters, is what an item takes the place of; `more`: not all are here."""

    start: int
    end: int
    items: tuple[Completion, ...]
    more: bool = False


def complete(
    text: str, offset: int, catalog: Catalog, library: Library, limit: int = 50, counted: Counted | None = None
) -> Completions:
    """What may take the place of the word, or stand in the gap, at so many characters into the text.

    What stands right of the cursor, and other statements, need not be right. Nothing is offered in a comment or after
    an error in the same statement. `counted(attribute or "channel", values)` says how many people hold each.
    """
    cursor = locate_cursor(text, offset)
    if cursor is None:
        return Completions(offset, offset, ())
    found = _Completer(cursor, catalog, _with_drafts(cursor, catalog, library)).items(counted, limit + 1)
    return Completions(cursor.start, cursor.end, tuple(found[:limit]), len(found) > limit)


class _Completer:
    def __init__(self, cursor: Cursor, catalog: Catalog, library: Library) -> None:
        self._cursor = cursor
        self._scope = resolve_scope(cursor, Scope(catalog, library))
        self._side = infer_expected_type(cursor, self._scope)

    def items(self, counted: Counted | None, most: int) -> list[Completion]:
        """The first so many, what begins with what is typed before what only contains it."""
        typed = normalize(self._cursor.typed)
        begins, holds = self._values(counted, most)
        for one in self._offers():
            names = map(normalize, one.names) if typed else ("",)
            found = [name.find(typed) for name in names if typed in name]
            if found:
                (holds if min(found) else begins).append(one)
        items: dict[Completion, None] = {}
        for one in (one for some in (begins, holds) for one in sorted(some, key=lambda one: one.order)):
            items[one.item()] = None
            if len(items) == most:
                break
        return list(items)

    def _offers(self) -> Iterator[Candidate]:
        cursor, accepted = self._cursor, self._cursor.accepts()
        if "NAME" in accepted and cursor.quote in ("", "`"):
            yield from NameCandidates(cursor, self._scope, self._side).offers()
        if cursor.quote:
            return
        if "VERSION" in accepted:
            yield from NameCandidates(cursor, self._scope, self._side).versions()
        if "NAME" in accepted and self._side.type == BOOL:
            yield from offers.truths(cursor)
        yield from offers.keywords(cursor)
        yield from offers.windows(cursor, partial(_lies, infer_type_before(cursor, self._scope)))
        yield from offers.settings(cursor)
        yield from offers.examples(cursor, self._side.fits)
        if not cursor.typed:
            yield from offers.signs(cursor)

    def _values(self, counted: Counted | None, most: int) -> tuple[list[Candidate], list[Candidate]]:
        """Declared values of what stands on the other side, the most frequent first where few enough fit.

        Those that begin with what is typed, and those that contain it.
        """
        cursor, side = self._cursor, self._side
        values = side.type.values if side.type and not side.type.literal else ()
        if not values or "STRING" not in cursor.accepts() or cursor.quote == "`":
            return [], []
        begins, holds = find_matches(values, cursor.typed, max(most, MOST_COUNTED + 1))
        people: Mapping[str, int] = {}
        if counted is not None and side.counted and len(begins) + len(holds) <= MOST_COUNTED:
            people = counted(side.counted, [*begins, *holds])
        kind: CompletionKind = "channel" if values is self._scope.catalog.channels else "value"
        mark = cursor.quote or "'"

        def offered(some: list[str]) -> list[Candidate]:
            ordered = sorted(some, key=lambda value: -people.get(value, 0))
            texts = ((value, mark + value.replace(mark, mark * 2) + mark) for value in ordered)
            items = (Completion(text, value, kind, "", people.get(value)) for value, text in texts)
            return [make_candidate(item, VALUES) for item in items]

        return offered(begins), offered(holds)


def _lies(side: ExpectedType, whole_days: bool) -> bool:
    """Whether what has just been read may lie in a window: events always, a date in whole days only (T13)."""
    kind = side.type.kind if side.type else "instant"
    return kind in ("instant", "recency") or (kind == "date" and whole_days)


def _with_drafts(cursor: Cursor, catalog: Catalog, library: Library) -> Library:
    """The library with the other statements of the text, those that can be read."""
    if len(cursor.text) > _MOST_DRAFTED:
        return library
    others = [statement for chunk in _others(cursor) for statement in _read(chunk)]
    return with_drafts(others, catalog, library) if others else library


def _others(cursor: Cursor) -> Iterator[str]:
    starts = [token.start_pos or 0 for token in tokenize_prefix(cursor.text) if token.type in STATEMENTS]
    for start, end in itertools.pairwise([*starts, len(cursor.text) + 1]):
        if not start <= cursor.start < end:
            yield cursor.text[start:end]


@lru_cache(maxsize=256)
def _read(chunk: str) -> tuple[s.Statement, ...]:
    try:
        return parse(chunk).statements
    except RuleError:
        return ()
