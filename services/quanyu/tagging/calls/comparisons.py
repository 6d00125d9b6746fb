"""The calls that compare rules and show what publishing would change."""

from __future__ import annotations

import grpc

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import dependents_of
from quanyu.dsl.model.library import Rule, rule_key
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import now_ms
from quanyu.runtime.rpc.paging import page_limit
from quanyu.tagging.calls.page_tokens import parse_rule_page_token, rule_page_token
from quanyu.tagging.calls.request_context import RequestContext
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.messages import basis_message
from quanyu.tagging.preview.comparison import VersionPair, compare_versions
from quanyu.tagging.preview.impact import describe_impact
from quanyu.tagging.preview.messages import change_message, impact_message
from quanyu.tagging.registry.messages import dependent_message
from quanyu.tagging.workspace import ReadableWorkspace


class ComparisonCalls:
    """Answers what would change if a text were published; publishes nothing. See tagging.proto."""

    def __init__(self, request_context: RequestContext[ReadableWorkspace]) -> None:
        self._request_context = request_context

    def DiffRule(self, request: pb.DiffRuleRequest, context: grpc.ServicerContext) -> pb.DiffRuleResponse:
        workspace, evaluation = self._request_context.open_evaluation(request.workspace, request.as_of, context)
        evaluation, versions = _versions_to_compare(evaluation, request)
        found = compare_versions(evaluation, workspace.index, [versions])
        return pb.DiffRuleResponse(
            change=change_message(found.changes[0]),
            basis=basis_message(found.answer, evaluation.clock.as_of_ms, found.compiled),
        )

    def ListDependents(
        self, request: pb.ListDependentsRequest, context: grpc.ServicerContext
    ) -> pb.ListDependentsResponse:
        evaluation = self._request_context.workspace(request.workspace).evaluation_at(now_ms())
        library = evaluation.library
        used = request.name, evaluation.resolve_version(request.name, request.version)
        after, limit = parse_rule_page_token(request.page_token), page_limit(request.page_size)
        found = [one for one in dependents_of(used, evaluation.catalog, library).items() if one[0] > after]
        last, _ = found[limit - 1] if len(found) > limit else (None, False)
        return pb.ListDependentsResponse(
            dependents=[dependent_message(user, library, direct=direct) for user, direct in found[:limit]],
            next_page_token="" if last is None else rule_page_token(*last),
        )

    def DescribeImpact(
        self, request: pb.DescribeImpactRequest, context: grpc.ServicerContext
    ) -> pb.DescribeImpactResponse:
        workspace, evaluation = self._request_context.open_evaluation(request.workspace, request.as_of, context)
        found = describe_impact(evaluation, workspace.index, evaluation.bind(request.text))
        return impact_message(found, evaluation.clock.as_of_ms)


def _versions_to_compare(
    evaluation: EvaluationContext, request: pb.DiffRuleRequest
) -> tuple[EvaluationContext, VersionPair]:
    """Returns the two versions that the request names, and a context that holds both."""
    name = request.name
    if request.WhichOneof("to") == "text":
        former = evaluation.resolve_version(name, request.from_version)
        bound = evaluation.bind(request.text)
        declared = [rule_key(rule)[1] for rule in bound.statements if isinstance(rule, Rule) and rule.ref.name == name]
        if not declared:
            message = f"the text does not declare {name}; declare it, to compare it with the published {name}@{former}"
            raise InvalidInput(message, reason="DIFF_NAME", field="text")
        return evaluation.with_draft(bound), VersionPair(name, former, max(declared))
    newer = evaluation.resolve_version(name, request.to_version)
    if request.from_version:
        return evaluation, VersionPair(name, evaluation.resolve_version(name, request.from_version), newer)
    earlier = (version for other, version in evaluation.library.rules if other == name and version < newer)
    former = max(earlier, default=0)
    if not former:
        message = f"{name}@{newer} is the first version; there is no earlier version to compare it with"
        raise InvalidInput(message, reason="NO_FORMER_VERSION", field="from_version")
    return evaluation, VersionPair(name, former, newer)
