"""The calls that publish, read and roll back rules."""

from __future__ import annotations

import grpc

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import dependencies_of
from quanyu.runtime.errors import FailedPrecondition
from quanyu.runtime.instants import now_ms
from quanyu.runtime.rpc.paging import page_limit
from quanyu.runtime.storage.database import Database
from quanyu.tagging.calls.page_tokens import parse_rule_page_token, rule_page_token
from quanyu.tagging.calls.request_context import RequestContext
from quanyu.tagging.evaluation.messages import basis_message
from quanyu.tagging.preview.messages import change_message
from quanyu.tagging.registry.messages import rule_message
from quanyu.tagging.registry.publishing import publish
from quanyu.tagging.registry.rollback import roll_back
from quanyu.tagging.storage.store import get_rule, rules_after
from quanyu.tagging.workspace import Workspace


class VersionCalls:
    """Publishes and lists rules. `by_approval`: only an approved proposal publishes rules. See tagging.proto."""

    def __init__(self, request_context: RequestContext[Workspace], database: Database, *, by_approval: bool) -> None:
        self._request_context = request_context
        self._database = database
        self._by_approval = by_approval

    def PublishRule(self, request: pb.PublishRuleRequest, context: grpc.ServicerContext) -> pb.PublishRuleResponse:
        self._check_direct_publishing_allowed()
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
            rule=rule_message(get_rule(self._database, request.workspace, request.name, version)),
            explanation=evaluation.explain_rule(request.name, version),
            dependencies=[f"{name}@{version}" for name, version in used],
        )

    def ListRules(self, request: pb.ListRulesRequest, context: grpc.ServicerContext) -> pb.ListRulesResponse:
        self._request_context.workspace(request.workspace)
        limit = page_limit(request.page_size)
        after = parse_rule_page_token(request.page_token)
        with self._database.reading() as session:
            rules = rules_after(session, request.workspace, *after, limit + 1)
        last = rules[limit - 1] if len(rules) > limit else None
        return pb.ListRulesResponse(
            rules=[rule_message(rule) for rule in rules[:limit]],
            next_page_token="" if last is None else rule_page_token(last.name, last.version),
        )

    def RollBackRule(self, request: pb.RollBackRuleRequest, context: grpc.ServicerContext) -> pb.RollBackRuleResponse:
        self._check_direct_publishing_allowed()
        workspace, limits = self._request_context.workspace(request.workspace), self._request_context.limits(context)
        rule, found = roll_back(self._database, workspace, request.name, request.to_version, request.author, limits)
        return pb.RollBackRuleResponse(
            rule=rule_message(rule),
            change=change_message(found.changes[0]),
            basis=basis_message(found.answer, found.as_of_ms, found.compiled),
        )

    def _check_direct_publishing_allowed(self) -> None:
        if self._by_approval:
            raise FailedPrecondition(
                "rules are published by approval only (QUANYU_APPROVAL=required): call ProposeRule with the text, "
                "and have another person call DecideProposal",
                reason="APPROVAL_REQUIRED",
            )
