"""Finds contradictions between facts about different variables: tallies, instants and tests of one text."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence

from quanyu.dsl.linting.proving.formulas import Facts, Formula
from quanyu.dsl.linting.proving.timeline import NOW, Instant, Timeline
from quanyu.dsl.linting.proving.value_sets import (
    IS_FALSE,
    IS_TRUE,
    DiscreteSet,
    IntervalSet,
    ValueSet,
)
from quanyu.dsl.linting.proving.variables import (
    Before,
    EventSet,
    Tally,
    TextTest,
    ValueVariable,
)

_MAX_TALLIES = 40  # that are compared pairwise
_MAX_WINDOWS = 8  # that may cover another window together


class Contradictions:
    """Finds facts that contradict each other. `implies` tells whether one formula about an event implies another."""

    def __init__(self, timeline: Timeline, implies: Callable[[Formula, Formula], bool]) -> None:
        self._timeline, self._implies = timeline, implies

    def __call__(self, facts: Facts) -> bool:
        return (
            self._have_tally_contradiction(facts)
            or self._have_order_contradiction(facts)
            or _have_text_contradiction(facts)
        )

    # tallies

    def _have_tally_contradiction(self, facts: Facts) -> bool:
        limited = [(tally, held) for tally, held in facts.items() if isinstance(tally, Tally)][:_MAX_TALLIES]
        tallies = [(tally, held.low, held.high) for tally, held in limited if isinstance(held, IntervalSet)]
        empty = [tally for tally, _, high in tallies if high == 0]
        for tally, low, _ in tallies:
            if low > 0 and self._is_covered(tally, empty):
                return True
            if any(high < low and self._is_at_most(tally, other) for other, _, high in tallies):
                return True
        return False

    def _is_at_most(self, tally: Tally, other: Tally) -> bool:
        """Returns whether the first tally is never greater than the second."""
        alike = (tally.kind, tally.value) == (other.kind, other.value) or other.kind == "count"
        return alike and self._is_inside(tally, other) and self._is_subset(tally.events, other.events)

    def _is_inside(self, tally: Tally, other: Tally) -> bool:
        return self._timeline.is_never_later(other.start, tally.start) and self._is_end_within(tally.end, other.end)

    def _is_end_within(self, end: Instant, other: Instant) -> bool:
        return other == NOW or self._timeline.is_never_later(end, other)

    def _is_subset(self, events: EventSet, others: EventSet) -> bool:
        return all(self._is_included(event_type, formula, others) for event_type, formula in events.of)

    def _is_included(self, event_type: str, formula: Formula, others: EventSet) -> bool:
        return any(other == event_type and self._implies(formula, wide) for other, wide in others.of)

    def _is_covered(self, tally: Tally, empty: Sequence[Tally]) -> bool:
        """Returns whether empty tallies cover the window of this tally for each of its event types."""
        return all(
            self._do_windows_cover(
                tally.start,
                tally.end,
                [other for other in empty if self._is_included(event_type, formula, other.events)],
            )
            for event_type, formula in tally.events.of
        )

    def _do_windows_cover(self, at: Instant, end: Instant, windows: Sequence[Tally]) -> bool:
        for window in windows[:_MAX_WINDOWS]:
            if self._timeline.is_never_later(window.start, at):
                if self._is_end_within(end, window.end):
                    return True
                rest = [other for other in windows if other is not window]
                if self._timeline.is_never_later(at, window.end) and self._do_windows_cover(window.end, end, rest):
                    return True
        return False

    # order

    def _have_order_contradiction(self, facts: Facts) -> bool:
        """Finds a value that is before one instant and not before a later one."""
        by_name: dict[Hashable, list[tuple[Instant, ValueSet]]] = defaultdict(list)
        for variable, held in facts.items():
            if isinstance(variable, Before):
                by_name[variable.key].append((variable.instant, held))
        return any(
            self._timeline.is_never_later(before, after)
            for ends in by_name.values()
            for before, is_before in ends
            if is_before == IS_TRUE
            for after, is_after in ends
            if is_after == IS_FALSE
        )


def _have_text_contradiction(facts: Facts) -> bool:
    tests: dict[Hashable, list[tuple[TextTest, bool]]] = defaultdict(list)
    for variable, held in facts.items():
        if isinstance(variable, TextTest) and held in (IS_TRUE, IS_FALSE):
            tests[variable.key].append((variable, held == IS_TRUE))
    return any(_is_unsatisfiable(found, facts.get(ValueVariable(key))) for key, found in tests.items())


def _is_unsatisfiable(tests: list[tuple[TextTest, bool]], texts: ValueSet | None) -> bool:
    """Returns whether no text has these test results. `texts` limits the possible texts."""
    if isinstance(texts, DiscreteSet) and not texts.others:
        return not any(all(passes(test, str(text)) in (should, None) for test, should in tests) for text in texts.items)
    passed = [test for test, should in tests if should]
    failed = [test for test, should in tests if not should]
    if any(passes(fail, test.text) and _follows_from(fail, test) for test in passed for fail in failed):
        return True
    return any(_are_disjoint(a, b) for a, b in itertools.combinations(passed, 2))


def passes(test: TextTest, text: str) -> bool | None:
    """Returns None for `matches`, because only the engine evaluates patterns."""
    if test.test == "matches":
        return None
    return {"contains": text.__contains__, "starts with": text.startswith, "ends with": text.endswith}[test.test](
        test.text
    )


def _follows_from(fail: TextTest, test: TextTest) -> bool:
    """Returns whether a text that passes `test` passes `fail` whenever the text of `test` does."""
    return test.test != "matches" and fail.test in ("contains", test.test)


def _are_disjoint(a: TextTest, b: TextTest) -> bool:
    """Returns whether the tests need two different beginnings or two different ends."""
    if a.test != b.test or a.test not in ("starts with", "ends with"):
        return False
    return not passes(a, b.text) and not passes(b, a.text)
