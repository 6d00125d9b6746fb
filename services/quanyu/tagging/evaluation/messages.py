"""Converts the basis of an answer to messages: its epoch, instants, windows and rule versions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import CompiledRule
from quanyu.engine import Answer
from quanyu.runtime.instants import timestamp

KINDS = {
    "define": pb.Rule.KIND_DEFINE,
    "metric": pb.Rule.KIND_METRIC,
    "segment": pb.Rule.KIND_SEGMENT,
    "tag": pb.Rule.KIND_TAG,
}


def epoch_message(epoch: tuple[int, int]) -> event_pb2.Epoch:
    """Converts an epoch of the index: (raw offset that it is complete up to, arrival of the newest frame in ms)."""
    return event_pb2.Epoch(raw_offset=epoch[0], received_at=timestamp(epoch[1]))


def basis_message(answer: Answer, as_of_ms: int, compiled: Sequence[CompiledRule]) -> pb.Basis:
    """Converts what an answer is based on, so that a caller can ask for the same answer again."""
    return pb.Basis(
        epoch=epoch_message(answer.epoch),
        as_of=timestamp(as_of_ms),
        windows=windows_of(compiled),
        versions=sorted({version for rule in compiled for version in rule.versions}),
        milliseconds=answer.microseconds / 1000,
    )


def windows_of(compiled: Iterable[CompiledRule]) -> list[pb.ResolvedWindow]:
    """Converts the resolved windows of the rules, each once."""
    messages = {}
    for window in (window for rule in compiled for window in rule.windows):
        message = pb.ResolvedWindow(text=window.text)
        if window.from_ms is not None:
            getattr(message, "from").CopyFrom(timestamp(window.from_ms))
        if window.to_ms is not None:
            message.to.CopyFrom(timestamp(window.to_ms))
        messages[window] = message
    return list(messages.values())
