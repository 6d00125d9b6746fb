"""Converts previews, comparisons, overlaps and impacts to messages."""

from __future__ import annotations

from collections.abc import Sequence

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import OmittedClause
from quanyu.tagging.evaluation.messages import KINDS, basis_message
from quanyu.tagging.preview.comparison import RuleChange, SetComparison
from quanyu.tagging.preview.impact import Impact
from quanyu.tagging.preview.overlap import Overlap
from quanyu.tagging.preview.preview import Preview, SetCount


def preview_message(preview: Preview, left_out: Sequence[OmittedClause], as_of_ms: int) -> pb.PreviewRuleResponse:
    """Converts a preview. `left_out`: clauses of its only set that have errors and are not counted."""
    response = pb.PreviewRuleResponse(
        sets=[_set_message(counted) for counted in preview.counts],
        comparisons=[comparison_message(comparison) for comparison in preview.comparisons],
        notes=preview.notes,
        explanation=preview.explanation,
        basis=basis_message(preview.answer, as_of_ms, preview.compiled),
        universe=preview.answer.universe,
    )
    for clause in left_out:
        wrong = pb.ClauseCount(text=clause.text, line=clause.line, column=clause.column, left_out=True)
        response.sets[0].clauses.append(wrong)
    for counted in response.sets:
        counted.clauses.sort(key=lambda clause: (clause.line, clause.column))
    return response


def _set_message(counted: SetCount) -> pb.SetCount:
    clauses = [
        pb.ClauseCount(
            text=clause.text,
            matched=clause.matched,
            unknown=clause.unknown,
            line=clause.line,
            column=clause.column,
            remaining=clause.remaining,
        )
        for clause in counted.clauses
    ]
    sample = [
        pb.PersonSample(person=person, facts=[pb.Fact(name=name, value=value) for name, value in facts])
        for person, facts in counted.sample
    ]
    return pb.SetCount(
        name=counted.name, matched=counted.matched, unknown=counted.unknown, clauses=clauses, sample=sample
    )


def comparison_message(comparison: SetComparison) -> pb.Comparison:
    return pb.Comparison(
        name=comparison.name,
        version=comparison.version,
        entering=comparison.entering,
        leaving=comparison.leaving,
        staying=comparison.staying,
        entering_sample=comparison.entering_sample,
        leaving_sample=comparison.leaving_sample,
        entering_clauses=comparison.entering_clauses,
        leaving_clauses=comparison.leaving_clauses,
    )


def change_message(change: RuleChange) -> pb.RuleChange:
    return pb.RuleChange(
        name=change.name,
        kind=KINDS[change.kind],
        from_version=change.from_version,
        to_version=change.to_version,
        differences=change.differences,
        comparisons=[comparison_message(comparison) for comparison in change.comparisons],
        error=change.error,
    )


def impact_message(impact: Impact, as_of_ms: int) -> pb.DescribeImpactResponse:
    return pb.DescribeImpactResponse(
        changed=[change_message(change) for change in impact.changed],
        dependents=[change_message(change) for change in impact.dependents],
        left_out=impact.left_out,
        basis=basis_message(impact.answer, as_of_ms, impact.compiled),
    )


def overlap_message(overlap: Overlap, as_of_ms: int) -> pb.DescribeOverlapResponse:
    return pb.DescribeOverlapResponse(
        sets=[pb.SetCount(name=name, matched=matched, unknown=unknown) for name, matched, unknown in overlap.sets],
        patterns=[pb.OverlapPattern(sets=sets, people=people) for sets, people in overlap.patterns],
        outside=overlap.outside,
        universe=overlap.answer.universe,
        basis=basis_message(overlap.answer, as_of_ms, overlap.compiled),
    )
