"""Calls about drafts."""

from __future__ import annotations

import pytest

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import timestamp
from quanyu.tagging.calls.texts import MAX_SAMPLE, RuleTextCalls
from tests.unit.tagging.sample_workspace import NOW_MS, Call, PopulatedShop, request_context_of

AS_OF = pb.AsOf(instant=timestamp(NOW_MS))


@pytest.fixture(scope="module")
def calls() -> RuleTextCalls:
    return RuleTextCalls(request_context_of(PopulatedShop("segment locals: city = 'Beijing'")))


def test_a_valid_text_is_explained_and_an_invalid_one_is_diagnosed(calls: RuleTextCalls) -> None:
    valid = calls.ValidateRule(pb.ValidateRuleRequest(workspace="shop", text="in segment locals"), Call())
    assert (len(valid.diagnostics), len(valid.explanation)) == (0, 1)
    text = "citi = 'a' and city > 3"
    wrong = calls.ValidateRule(pb.ValidateRuleRequest(workspace="shop", text=text), Call())
    assert [(one.reason, one.column) for one in wrong.diagnostics] == [("RULE_NAME", 1), ("RULE_TYPE", 23)]
    assert not wrong.explanation
    pattern = calls.ValidateRule(pb.ValidateRuleRequest(workspace="shop", text="city matches '('"), Call())
    assert ["is not a valid RE2 pattern" in one.message for one in pattern.diagnostics] == [True]


def test_warnings_are_findings_and_errors_are_diagnostics(calls: RuleTextCalls) -> None:
    text = "city = 'Beijing' and city = 'Harbin'"
    assert len(calls.LintRule(pb.LintRuleRequest(workspace="shop", text=text), Call()).findings) == 1
    wrong = calls.LintRule(pb.LintRuleRequest(workspace="shop", text="city ="), Call())
    assert (len(wrong.findings), len(wrong.diagnostics)) == (0, 1)


def test_completions_count_the_people_of_each_value(calls: RuleTextCalls) -> None:
    request = pb.CompleteRuleRequest(workspace="shop", text="city = ", offset=7)
    items = {item.text: item.people for item in calls.CompleteRule(request, Call()).items if item.kind == "value"}
    assert items == {"'Beijing'": 2, "'Harbin'": 1}


def test_a_cursor_beyond_the_text_is_rejected(calls: RuleTextCalls) -> None:
    with pytest.raises(InvalidInput, match="the text has 3 characters") as caught:
        calls.CompleteRule(pb.CompleteRuleRequest(workspace="shop", text="did", offset=4), Call())
    assert (caught.value.reason, caught.value.metadata["field"]) == ("OFFSET_BEYOND_TEXT", "offset")


def test_a_preview_counts_clauses_without_errors_and_lists_the_others(calls: RuleTextCalls) -> None:
    text = "city = 'Beijing' and citi = 'a'"
    request = pb.PreviewRuleRequest(workspace="shop", text=text, as_of=AS_OF, revision="r8")
    preview = calls.PreviewRule(request, Call())
    assert (preview.revision, [one.column for one in preview.diagnostics]) == ("r8", [22])
    (counted,) = preview.sets
    assert counted.matched == 2
    assert [(clause.matched, clause.left_out) for clause in counted.clauses] == [(2, False), (0, True)]


def test_a_preview_shows_at_most_a_fixed_number_of_people(calls: RuleTextCalls) -> None:
    def preview(sample: int) -> pb.PreviewRuleResponse:
        request = pb.PreviewRuleRequest(workspace="shop", text="in segment locals", as_of=AS_OF, sample=sample)
        return calls.PreviewRule(request, Call())

    assert len(preview(MAX_SAMPLE).sets[0].sample) == 2
    with pytest.raises(InvalidInput) as caught:
        preview(MAX_SAMPLE + 1)
    assert caught.value.reason == "SAMPLE_SIZE"


def test_tests_run_on_drafts_and_published_rules(calls: RuleTextCalls) -> None:
    text = """test 'local' {
      given anna {city: 'Beijing'}
      when as of 2026-01-02
      then anna in segment locals
      then anna in segment fresh
    }
    segment fresh: city = 'Harbin'
    """
    (result,) = calls.RunRuleTests(pb.RunRuleTestsRequest(workspace="shop", text=text), Call()).results
    assert (result.name, result.passed, len(result.failures)) == ("local", False, 1)


def test_overlaps_count_exact_combinations(calls: RuleTextCalls) -> None:
    request = pb.DescribeOverlapRequest(
        workspace="shop", as_of=AS_OF, conditions=["in segment locals", "did order ever"]
    )
    found = calls.DescribeOverlap(request, Call())
    assert {tuple(one.sets): one.people for one in found.patterns} == {(0,): 1, (1,): 1, (0, 1): 1}
    assert (found.outside, found.universe) == (0, 3)


def test_formatting_and_explaining_need_no_published_rule(calls: RuleTextCalls) -> None:
    explained = calls.ExplainRule(pb.ExplainRuleRequest(workspace="shop", text="did order in last 7d"), Call())
    assert [window.text for window in explained.basis.windows] == ["in last 7d"]
    wrong = calls.ExplainRule(pb.ExplainRuleRequest(workspace="shop", text="did"), Call())
    assert len(wrong.diagnostics) == 1
    formatted = calls.FormatRule(pb.FormatRuleRequest(text="did   order"), Call())
    assert formatted.text == "did order ever"
