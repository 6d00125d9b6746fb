"""The calls about proposals and drafts: rules that are not published yet."""

from __future__ import annotations

import grpc

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.rpc.paging import page_limit, parse_page_token
from quanyu.runtime.storage.database import Database
from quanyu.tagging.calls.request_context import RequestContext
from quanyu.tagging.registry import proposals
from quanyu.tagging.registry.messages import STATES, draft_message, proposal_message, rule_message
from quanyu.tagging.storage import drafts
from quanyu.tagging.storage.store import drafts_after, proposals_before
from quanyu.tagging.storage.tables import (
    APPROVED,
    REJECTED,
)
from quanyu.tagging.workspace import Workspace

DECISIONS = {
    pb.DecideProposalRequest.DECISION_APPROVE: APPROVED,
    pb.DecideProposalRequest.DECISION_REJECT: REJECTED,
}


class ReviewCalls:
    """Proposes and decides rules, and saves drafts. See tagging.proto."""

    def __init__(self, request_context: RequestContext[Workspace], database: Database) -> None:
        self._request_context = request_context
        self._database = database

    def ProposeRule(self, request: pb.ProposeRuleRequest, context: grpc.ServicerContext) -> pb.ProposeRuleResponse:
        workspace = self._request_context.workspace(request.workspace)
        workspace.wait(request.min_raw_offset, context)
        limits = self._request_context.limits(context)
        proposal = proposals.propose(self._database, workspace, request.text, request.author, request.note, limits)
        return pb.ProposeRuleResponse(proposal=proposal_message(proposal))

    def GetProposal(self, request: pb.GetProposalRequest, context: grpc.ServicerContext) -> pb.GetProposalResponse:
        self._request_context.workspace(request.workspace)
        proposal = proposals.get_proposal(self._database, request.workspace, request.id)
        return pb.GetProposalResponse(proposal=proposal_message(proposal))

    def ListProposals(
        self, request: pb.ListProposalsRequest, context: grpc.ServicerContext
    ) -> pb.ListProposalsResponse:
        self._request_context.workspace(request.workspace)
        limit = page_limit(request.page_size)
        (before,) = parse_page_token(request.page_token, 1)
        state = next((state for state, number in STATES.items() if number == request.state), None)
        with self._database.reading() as session:
            found = proposals_before(session, request.workspace, state, before, limit + 1)
        return pb.ListProposalsResponse(
            proposals=[proposal_message(proposal) for proposal in found[:limit]],
            next_page_token=str(found[limit - 1].id) if len(found) > limit else "",
        )

    def DecideProposal(
        self, request: pb.DecideProposalRequest, context: grpc.ServicerContext
    ) -> pb.DecideProposalResponse:
        workspace = self._request_context.workspace(request.workspace)
        state = DECISIONS.get(request.decision)
        if state is None:
            raise InvalidInput(
                "decision: choose DECISION_APPROVE or DECISION_REJECT", reason="NO_DECISION", field="decision"
            )
        decision = proposals.Decision(state, request.by, request.note)
        proposal, rules = proposals.decide(
            self._database, workspace, request.id, decision, self._request_context.limits(context)
        )
        return pb.DecideProposalResponse(
            proposal=proposal_message(proposal), rules=[rule_message(rule) for rule in rules]
        )

    def SaveDraft(self, request: pb.SaveDraftRequest, context: grpc.ServicerContext) -> pb.SaveDraftResponse:
        self._request_context.workspace(request.workspace)
        draft = drafts.save_draft(
            self._database, request.workspace, request.name, request.text, request.revision, request.author
        )
        return pb.SaveDraftResponse(draft=draft_message(draft))

    def GetDraft(self, request: pb.GetDraftRequest, context: grpc.ServicerContext) -> pb.GetDraftResponse:
        self._request_context.workspace(request.workspace)
        return pb.GetDraftResponse(
            draft=draft_message(drafts.get_draft(self._database, request.workspace, request.name))
        )

    def ListDrafts(self, request: pb.ListDraftsRequest, context: grpc.ServicerContext) -> pb.ListDraftsResponse:
        self._request_context.workspace(request.workspace)
        limit = page_limit(request.page_size)
        with self._database.reading() as session:
            found = drafts_after(session, request.workspace, request.page_token, limit + 1)
        return pb.ListDraftsResponse(
            drafts=[draft_message(draft) for draft in found[:limit]],
            next_page_token=found[limit - 1].name if len(found) > limit else "",
        )
