"""The calls about published rules."""

from __future__ import annotations

import grpc

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import dependencies_of, dependents_of
from quanyu.dsl.model.library import Rule, rule_key
from quanyu.runtime.errors import FailedPrecondition, InvalidInput
from quanyu.runtime.instants import now_ms
from quanyu.runtime.rpc.paging import page_limit, parse_page_token, refuse_token
from quanyu.runtime.storage.database import Database
from quanyu.tagging.calls.request_context import RequestContext
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.messages import basis_message
from quanyu.tagging.preview.comparison import VersionPair, compare_versions
from quanyu.tagging.preview.impact import impact
from quanyu.tagging.preview.messages import change_message, impact_message
from quanyu.tagging.registry.messages import dependent_message, rule_message
from quanyu.tagging.registry.publishing import publish
from quanyu.tagging.registry.rollback import roll_back
from quanyu.tagging.storage.store import published, rules_after
from quanyu.tagging.workspace import ReadableWorkspace, Workspace


class VersionCalls:
    """See tagging.proto. `by_approval`: rules are only published by approving proposals."""

    def __init__(self, request_context: RequestContext[Workspace], database: Database, *, by_approval: bool) -> None:
        self._request_context = request_context
        self._database = database
        self._by_approval = by_approval

    def PublishRule(self, request: pb.PublishRuleRequest, context: grpc.ServicerContext) -> pb.PublishRuleResponse:
        self._refuse_without_approval()
        workspace = self._request_context.workspace(request.workspace)
        workspace.wait(request.min_raw_offset, context)
        rules = publish(self._database, workspace, request.text, request.author, self._request_context.limits(context))
        return pb.PublishRuleResponse(rules=[rule_message(rule) for rule in rules])

    def GetRule(self, request: pb.GetRuleRequest, context: grpc.ServicerContext) -> pb.GetRuleResponse:
        evaluation = self._request_context.workspace(request.workspace).evaluation_at(now_ms())
        version = evaluation.resolve_version(request.name, request.version)
        rule = evaluation.library.get(request.name, version)
        used = [] if rule is None else dependencies_of(rule, evaluation.catalog, evaluation.library)
        return pb.GetRuleResponse(
            rule=rule_message(published(self._database, request.workspace, request.name, version)),
            explanation=evaluation.explain_rule(request.name, version),
            dependencies=[f"{name}@{version}" for name, version in used],
        )

    def ListRules(self, request: pb.ListRulesRequest, context: grpc.ServicerContext) -> pb.ListRulesResponse:
        self._request_context.workspace(request.workspace)
        limit = page_limit(request.page_size)
        after = _rule_of_token(request.page_token)
        with self._database.reading() as session:
            rules = rules_after(session, request.workspace, *after, limit + 1)
        last = rules[limit - 1] if len(rules) > limit else None
        return pb.ListRulesResponse(
            rules=[rule_message(rule) for rule in rules[:limit]],
            next_page_token="" if last is None else f"{last.version}:{last.name}",
        )

    def RollBackRule(self, request: pb.RollBackRuleRequest, context: grpc.ServicerContext) -> pb.RollBackRuleResponse:
        self._refuse_without_approval()
        workspace, limits = self._request_context.workspace(request.workspace), self._request_context.limits(context)
        rule, found = roll_back(self._database, workspace, request.name, request.to_version, request.author, limits)
        return pb.RollBackRuleResponse(
            rule=rule_message(rule),
            change=change_message(found.changes[0]),
            basis=basis_message(found.answer, found.as_of_ms, found.compiled),
        )

    def _refuse_without_approval(self) -> None:
        if self._by_approval:
            raise FailedPrecondition(
                "rules are published by approval here (QUANYU_APPROVAL=required): call ProposeRule with the text, and "
                "have somebody else call DecideProposal",
                reason="APPROVAL_REQUIRED",
            )


class ComparisonCalls:
    """See tagging.proto. What would change: nothing is published."""

    def __init__(self, request_context: RequestContext[ReadableWorkspace]) -> None:
        self._request_context = request_context

    def DiffRule(self, request: pb.DiffRuleRequest, context: grpc.ServicerContext) -> pb.DiffRuleResponse:
        workspace, evaluation = self._request_context.open_evaluation(request.workspace, request.as_of, context)
        evaluation, step = _diffed(evaluation, request)
        found = compare_versions(evaluation, workspace.index, [step])
        return pb.DiffRuleResponse(
            change=change_message(found.changes[0]),
            basis=basis_message(found.answer, evaluation.clock.as_of_ms, found.compiled),
        )

    def ListDependents(
        self, request: pb.ListDependentsRequest, context: grpc.ServicerContext
    ) -> pb.ListDependentsResponse:
        evaluation = self._request_context.workspace(request.workspace).evaluation_at(now_ms())
        library = evaluation.library
        asked = request.name, evaluation.resolve_version(request.name, request.version)
        after, limit = _rule_of_token(request.page_token), page_limit(request.page_size)
        found = [one for one in dependents_of(asked, evaluation.catalog, library).items() if one[0] > after]
        (name, version), _ = found[limit - 1] if len(found) > limit else (("", 0), False)
        return pb.ListDependentsResponse(
            dependents=[dependent_message(user, library, direct=direct) for user, direct in found[:limit]],
            next_page_token=f"{version}:{name}" if name else "",
        )

    def DescribeImpact(
        self, request: pb.DescribeImpactRequest, context: grpc.ServicerContext
    ) -> pb.DescribeImpactResponse:
        workspace, evaluation = self._request_context.open_evaluation(request.workspace, request.as_of, context)
        found = impact(evaluation, workspace.index, evaluation.bind(request.text))
        return impact_message(found, evaluation.clock.as_of_ms)


def _diffed(evaluation: EvaluationContext, request: pb.DiffRuleRequest) -> tuple[EvaluationContext, VersionPair]:
    """What holds both versions, and which they are."""
    name = request.name
    if request.WhichOneof("to") == "text":
        former = evaluation.resolve_version(name, request.from_version)
        bound = evaluation.bind(request.text)
        declared = [rule_key(rule)[1] for rule in bound.statements if isinstance(rule, Rule) and rule.ref.name == name]
        if not declared:
            message = f"the text declares no {name}: it is compared with the published {name}@{former}"
            raise InvalidInput(message, reason="DIFF_NAME", field="text")
        return evaluation.with_draft(bound), VersionPair(name, former, max(declared))
    newer = evaluation.resolve_version(name, request.to_version)
    if request.from_version:
        return evaluation, VersionPair(name, evaluation.resolve_version(name, request.from_version), newer)
    former = max(
        (version for other, version in evaluation.library.rules if other == name and version < newer), default=0
    )
    if not former:
        message = f"{name}@{newer} is the first version: there is none before to compare it with"
        raise InvalidInput(message, reason="NO_FORMER_VERSION", field="from_version")
    return evaluation, VersionPair(name, former, newer)


def _rule_of_token(token: str) -> tuple[str, int]:
    """Name and version of a token `version:name`: of the last rule before."""
    number, _, name = token.partition(":")
    (version,) = parse_page_token(number, 1)
    if bool(token) != bool(name):
        refuse_token(token)
    return name, version
