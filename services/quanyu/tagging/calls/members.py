"""Members of segments: evaluated, or as the live membership has them."""

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
class Members:
    """A root of `answer` for each of `segments`: names and versions."""

    answer: Answer
    as_of_ms: int
    segments: list[tuple[str, int]]
    compiled: list[CompiledRule]

    def basis(self) -> pb.Basis:
        return basis_message(self.answer, self.as_of_ms, self.compiled)


def members(
    workspace: Workspace, evaluation: EvaluationContext, asked: Sequence[tuple[str, int]], *, live: bool
) -> Members:
    """`asked`: names and versions, 0 being the newest. NotFound, or InvalidInput for what is no segment."""
    if live:
        return _held(workspace, asked)
    segments = [(name, evaluation.resolve_version(name, version)) for name, version in asked]
    compiled = [evaluation.compile_segment(name, version) for name, version in segments]
    return Members(evaluation.find(workspace.index, compiled), evaluation.clock.as_of_ms, segments, compiled)


def _held(workspace: Workspace, asked: Sequence[tuple[str, int]]) -> Members:
    answer, as_of_ms = workspace.live.answer([name for name, _ in asked])
    held = {status[0]: status[1] for status in workspace.live.statuses()}
    segments = [(name, held[name]) for name, _ in asked]
    for name, version in asked:
        if version not in (0, held[name]):
            raise InvalidInput(
                f"{name}@{version} is not kept up to date, but {name}@{held[name]}: ask without `live`",
                reason="NOT_LIVE",
                segment=name,
            )
    evaluation = workspace.evaluation_at(as_of_ms)
    compiled = [evaluation.compile_segment(name, version) for name, version in segments]
    return Members(answer, as_of_ms, segments, compiled)
