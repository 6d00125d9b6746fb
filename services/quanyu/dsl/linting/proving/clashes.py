"""Facts about different subjects that exclude each other: tallies of one kind of event, moments, tests of a text."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence

from quanyu.dsl.linting.proving.moments import NOW, Moment, Moments
from quanyu.dsl.linting.proving.ranges import (
    FALSELY,
    TRULY,
    Choice,
    Numbers,
    Values,
)
from quanyu.dsl.linting.proving.subjects import (
    Before,
    Events,
    Tally,
    TextTest,
    Value,
)
from quanyu.dsl.linting.proving.truth import Facts, Formula

_MOST_TALLIES = 40  # compared with each other
_MOST_PIECES = 8  # windows that together cover another one


class Clashes:
    """`implies`: whether one formula about an event implies another."""

    def __init__(self, moments: Moments, implies: Callable[[Formula, Formula], bool]) -> None:
        self._moments, self._implies = moments, implies

    def __call__(self, facts: Facts) -> bool:
        return self._in_tallies(facts) or self._in_order(facts) or _in_texts(facts)

    # tallies

    def _in_tallies(self, facts: Facts) -> bool:
        ranges = [(tally, held) for tally, held in facts.items() if isinstance(tally, Tally)][:_MOST_TALLIES]
        tallies = [(tally, held.low, held.high) for tally, held in ranges if isinstance(held, Numbers)]
        none = [tally for tally, _, high in tallies if high == 0]
        for tally, low, _ in tallies:
            if low > 0 and self._covered(tally, none):
                return True
            if any(high < low and self._at_most(tally, other) for other, _, high in tallies):
                return True
        return False

    def _at_most(self, tally: Tally, other: Tally) -> bool:
        """The one is never greater than the other."""
        alike = (tally.kind, tally.value) == (other.kind, other.value) or other.kind == "count"
        return alike and self._inside(tally, other) and self._among(tally.events, other.events)

    def _inside(self, tally: Tally, other: Tally) -> bool:
        return self._moments.never_later(other.start, tally.start) and self._ends_by(tally.end, other.end)

    def _ends_by(self, end: Moment, other: Moment) -> bool:
        return other == NOW or self._moments.never_later(end, other)

    def _among(self, events: Events, others: Events) -> bool:
        return all(self._holds(event_type, formula, others) for event_type, formula in events.of)

    def _holds(self, event_type: str, formula: Formula, others: Events) -> bool:
        return any(other == event_type and self._implies(formula, wide) for other, wide in others.of)

    def _covered(self, tally: Tally, none: Sequence[Tally]) -> bool:
        """Of each type of its events there are none, in windows that together cover its own."""
        return all(
            self._reaches(
                tally.start, tally.end, [other for other in none if self._holds(event_type, formula, other.events)]
            )
            for event_type, formula in tally.events.of
        )

    def _reaches(self, at: Moment, end: Moment, windows: Sequence[Tally]) -> bool:
        for window in windows[:_MOST_PIECES]:
            if self._moments.never_later(window.start, at):
                if self._ends_by(end, window.end):
                    return True
                rest = [other for other in windows if other is not window]
                if self._moments.never_later(at, window.end) and self._reaches(window.end, end, rest):
                    return True
        return False

    # order

    def _in_order(self, facts: Facts) -> bool:
        """Before one moment, and not before a later one."""
        by_name: dict[Hashable, list[tuple[Moment, Values]]] = defaultdict(list)
        for subject, held in facts.items():
            if isinstance(subject, Before):
                by_name[subject.key].append((subject.moment, held))
        return any(
            self._moments.never_later(before, after)
            for ends in by_name.values()
            for before, is_before in ends
            if is_before == TRULY
            for after, is_after in ends
            if is_after == FALSELY
        )


def _in_texts(facts: Facts) -> bool:
    tests: dict[Hashable, list[tuple[TextTest, bool]]] = defaultdict(list)
    for subject, held in facts.items():
        if isinstance(subject, TextTest) and held in (TRULY, FALSELY):
            tests[subject.key].append((subject, held == TRULY))
    return any(_exclude(found, facts.get(Value(key))) for key, found in tests.items())


def _exclude(tests: list[tuple[TextTest, bool]], texts: Values | None) -> bool:
    """No text passes and fails as it should; `texts`: those that it may be."""
    if isinstance(texts, Choice) and not texts.others:
        return not any(all(passes(test, str(text)) in (should, None) for test, should in tests) for text in texts.items)
    passed = [test for test, should in tests if should]
    failed = [test for test, should in tests if not should]
    if any(passes(fail, test.text) and _is_part(fail, test) for test in passed for fail in failed):
        return True
    return any(_apart(a, b) for a, b in itertools.combinations(passed, 2))


def passes(test: TextTest, text: str) -> bool | None:
    """None: only the engine reads patterns."""
    if test.test == "matches":
        return None
    return {"contains": text.__contains__, "starts with": text.startswith, "ends with": text.endswith}[test.test](
        test.text
    )


def _is_part(fail: TextTest, test: TextTest) -> bool:
    """Whether what passes `test` passes `fail` because the text of `test` does."""
    return test.test != "matches" and fail.test in ("contains", test.test)


def _apart(a: TextTest, b: TextTest) -> bool:
    """Two different beginnings, or ends."""
    if a.test != b.test or a.test not in ("starts with", "ends with"):
        return False
    return not passes(a, b.text) and not passes(b, a.text)
