"""Finds the members of segments: by evaluation, or in the live membership."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import CompiledRule
from quanyu.engine import Answer
from quanyu.runtime.errors import InvalidInput
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.messages import basis_message
from quanyu.tagging.workspace import Workspace


@dataclass(frozen=True, slots=True)
class SegmentAnswer:
    """The members of `segments` (name and version of each), one root of `answer` for each of them, as of an instant."""

    answer: Answer
    as_of_ms: int
    segments: list[tuple[str, int]]
    compiled: list[CompiledRule]

    def basis(self) -> pb.Basis:
        return basis_message(self.answer, self.as_of_ms, self.compiled)


def find_segment_members(
    workspace: Workspace, evaluation: EvaluationContext, segments: Sequence[tuple[str, int]], *, live: bool
) -> SegmentAnswer:
    """Evaluates segments, or reads them from the live membership.

    `segments`: names and versions; version 0 is the newest. Raises NotFound if a version is not published, and
    InvalidInput if it is not a segment.
    """
    if live:
        return _read_live_members(workspace, segments)
    resolved = [(name, evaluation.resolve_version(name, version)) for name, version in segments]
    compiled = [evaluation.compile_segment(name, version) for name, version in resolved]
    return SegmentAnswer(evaluation.find(workspace.index, compiled), evaluation.clock.as_of_ms, resolved, compiled)


def _read_live_members(workspace: Workspace, segments: Sequence[tuple[str, int]]) -> SegmentAnswer:
    answer, as_of_ms = workspace.live.answer([name for name, _ in segments])
    live_versions = {status.segment: status.version for status in workspace.live.statuses()}
    resolved = [(name, live_versions[name]) for name, _ in segments]
    for name, version in segments:
        if version not in (0, live_versions[name]):
            raise InvalidInput(
                f"the live membership has {name}@{live_versions[name]}, not {name}@{version}: ask without `live`",
                reason="NOT_LIVE",
                segment=name,
            )
    evaluation = workspace.evaluation_at(as_of_ms)
    compiled = [evaluation.compile_segment(name, version) for name, version in resolved]
    return SegmentAnswer(answer, as_of_ms, resolved, compiled)
