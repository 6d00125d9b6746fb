"""Others' suites, case by case: what passes passes, what differs says what is written beside it and why."""

import pytest

from tests.conformance.report import PAGE, SUITES, outcomes, page
from tests.conformance.suite import DIFFERS, PASSES, UNSUPPORTED


@pytest.fixture(scope="module")
def found():
    return outcomes()


@pytest.mark.parametrize("suite", SUITES)
def test_every_case_is_what_it_is_said_to_be(found, suite: str) -> None:
    for outcome in found[suite][1]:
        case = outcome.case
        if outcome.kind == DIFFERS:
            assert outcome.said == case.differs, (case.source, outcome.said)
            assert case.because, case.source
        else:
            assert case.differs is None, (case.source, outcome.kind)
        assert outcome.kind != UNSUPPORTED or outcome.reason


@pytest.mark.parametrize(("suite", "at_least"), [("json_logic", 140), ("cel", 80), ("clickhouse", 60)])
def test_what_can_be_asked_is_asked(found, suite: str, at_least: int) -> None:
    assert sum(outcome.kind == PASSES for outcome in found[suite][1]) >= at_least


def test_the_page_has_the_counts_of_today(found) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(found)
