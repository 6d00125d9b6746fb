"""Explains why a person is in a segment or not, and when that changes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import BoundRules, CompiledRule, compile_condition, format_rule, parse
from quanyu.dsl.model.library import rule_key
from quanyu.dsl.syntax import Cond, Segment
from quanyu.engine import Index
from quanyu.runtime.errors import InvalidInput
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.messages import basis_message
from quanyu.tagging.evaluation.references import parse_reference
from quanyu.tagging.evaluation.rule_errors import rule_errors_as_invalid_input
from quanyu.tagging.explanation.clauses import Clauses
from quanyu.tagging.explanation.next_change import NextChange
from quanyu.tagging.explanation.person_queries import PersonQueries, at_ms

# The number of attempts to explain a person whose data changes meanwhile.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class RuleToExplain:
    """A condition, of a segment or without one. `evaluation` knows every name in it."""

    cond: Cond
    segment: Segment | None
    evaluation: EvaluationContext
    compiled: CompiledRule


def published_segment(evaluation: EvaluationContext, reference: str) -> RuleToExplain:
    """Returns the segment `name` or `name@version`.

    Raises NotFound if it is not published, and InvalidInput if the rule is not a segment.
    """
    name, version = parse_reference(reference)
    version = evaluation.resolve_version(name, version)
    compiled = evaluation.compile_segment(name, version)
    rule = evaluation.library.get(name, version)
    assert isinstance(rule, Segment)
    # The text of GetRule, so that positions refer to it.
    (segment,) = parse(format_rule(rule)).statements
    assert isinstance(segment, Segment)
    return RuleToExplain(segment.cond, segment, evaluation, compiled)


def written_rule(evaluation: EvaluationContext, text: str) -> RuleToExplain:
    """Returns the condition of a text, or its only segment. The text may also declare rules that the segment uses.

    Raises InvalidInput if the text is wrong.
    """
    bound = evaluation.bind(text)
    drafted = evaluation.with_draft(bound)
    if bound.condition is not None:
        with rule_errors_as_invalid_input():
            compiled = compile_condition(bound, drafted.library, drafted.catalog, drafted.clock)
        return RuleToExplain(bound.condition, None, drafted, compiled)
    segment = _only_segment(bound)
    return RuleToExplain(segment.cond, segment, drafted, drafted.compile_segment(*rule_key(segment)))


def _only_segment(bound: BoundRules) -> Segment:
    segments = [statement for statement in bound.statements if isinstance(statement, Segment)]
    if len(segments) != 1:
        message = f"the text has {len(segments)} segments: give a condition or one segment, with what it uses"
        raise InvalidInput(message, reason="RULE_NOT_ONE_SEGMENT", field="text")
    return segments[0]


def explain_membership(index: Index, rule: RuleToExplain, person: int) -> pb.ExplainMembershipResponse:
    """Returns the verdict on a person, its reasons and its next change, all at one epoch.

    Raises NotFound if the person is unknown.
    """
    for _ in range(_TRIES):
        one = PersonQueries(index, rule.evaluation, person)
        response = _explain(one, rule)
        if one.is_unchanged():
            return response
    # A past version is slow in a large index, but it cannot change.
    evaluation = replace(rule.evaluation, known_at=index.epoch()[0])
    return _explain(PersonQueries(index, evaluation, person), rule)


def _explain(one: PersonQueries, rule: RuleToExplain) -> pb.ExplainMembershipResponse:
    clauses = Clauses(one, rule.segment, rule.evaluation)
    verdict = clauses.verdict(rule.cond)
    is_outside = verdict == pb.VERDICT_OUTSIDE
    flip = NextChange(one, rule.cond, rule.segment, rule.evaluation).find()
    if flip.HasField("at"):
        flip.because = clauses.change(rule.cond, at_ms(flip.at))
    basis = basis_message(one.answer, rule.evaluation.clock.as_of_ms, [rule.compiled])
    of = clauses.of_population() if is_outside else clauses.of_rule(rule.cond)
    basis.milliseconds = one.engine_ms
    return pb.ExplainMembershipResponse(verdict=verdict, clauses=of, flip=flip, basis=basis)
