"""The calls about published rules."""

from __future__ import annotations

import grpc

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.runtime.db import Database
from quanyu.runtime.instants import now_ms
from quanyu.runtime.paging import numbers_of, page_limit, refuse_token
from quanyu.tagging.answers import rule_message
from quanyu.tagging.asking import Asking
from quanyu.tagging.publishing import publish
from quanyu.tagging.store import published, rules_after
from quanyu.tagging.workspace import Workspace


class VersionCalls:
    """See tagging.proto."""

    def __init__(self, asking: Asking[Workspace], database: Database) -> None:
        self._asking = asking
        self._database = database

    def PublishRule(self, request: pb.PublishRuleRequest, context: grpc.ServicerContext) -> pb.PublishRuleResponse:
        workspace = self._asking.workspace(request.workspace)
        workspace.wait(request.min_raw_offset, context)
        rules = publish(self._database, workspace, request.text, request.author, self._asking.limits(context))
        return pb.PublishRuleResponse(rules=[rule_message(rule) for rule in rules])

    def GetRule(self, request: pb.GetRuleRequest, context: grpc.ServicerContext) -> pb.GetRuleResponse:
        reading = self._asking.workspace(request.workspace).reading(now_ms())
        version = reading.version_of(request.name, request.version)
        return pb.GetRuleResponse(
            rule=rule_message(published(self._database, request.workspace, request.name, version)),
            explanation=reading.explained(request.name, version),
        )

    def ListRules(self, request: pb.ListRulesRequest, context: grpc.ServicerContext) -> pb.ListRulesResponse:
        self._asking.workspace(request.workspace)
        limit = page_limit(request.page_size)
        # `version:name`, of the last rule before.
        number, _, name = request.page_token.partition(":")
        (version,) = numbers_of(number, 1)
        if bool(request.page_token) != bool(name):
            refuse_token(request.page_token)
        with self._database.reading() as session:
            rules = rules_after(session, request.workspace, name, version, limit + 1)
        last = rules[limit - 1] if len(rules) > limit else None
        return pb.ListRulesResponse(
            rules=[rule_message(rule) for rule in rules[:limit]],
            next_page_token="" if last is None else f"{last.version}:{last.name}",
        )
