"""Runs public test suites: each case passes, differs as recorded with a reason, or is unsupported."""

import pytest

from tests.conformance.report import PAGE, SUITES, render_page, run_suites
from tests.conformance.suite import DIFFERS, PASSES, UNSUPPORTED


@pytest.fixture(scope="module")
def found():
    return run_suites()


@pytest.mark.parametrize("suite", SUITES)
def test_each_case_has_its_recorded_outcome(found, suite: str) -> None:
    for outcome in found[suite][1]:
        case = outcome.case
        if outcome.kind == DIFFERS:
            assert outcome.said == case.differs, (case.source, outcome.said)
            assert case.because, case.source
        else:
            assert case.differs is None, (case.source, outcome.kind)
        assert outcome.kind != UNSUPPORTED or outcome.reason


@pytest.mark.parametrize(("suite", "at_least"), [("json_logic", 140), ("cel", 80), ("clickhouse", 60)])
def test_most_cases_of_a_suite_pass(found, suite: str, at_least: int) -> None:
    assert sum(outcome.kind == PASSES for outcome in found[suite][1]) >= at_least


def test_the_page_has_the_current_counts(found) -> None:
    assert PAGE.read_text(encoding="utf-8") == render_page(found)
