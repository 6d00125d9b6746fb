"""Resolution writes the same resolved frames however often the raw log is folded."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.api.event.v1 import event_pb2, log_pb2
from quanyu.engine import LocalLog, Resolver, StorageError
from quanyu.identity.worker import Resolution
from quanyu.runtime.errors import DataLoss
from tests.seed import examples

_folders = count()

identifiers = st.builds(
    event_pb2.Identifier,
    namespace=st.sampled_from(["phone", "card", "device"]),
    value=st.integers(13_000_000_000, 13_000_000_006).map(str),
)
records = st.lists(identifiers, min_size=1, max_size=3, unique_by=lambda i: i.namespace)
frames = st.lists(st.lists(records, min_size=1, max_size=4), max_size=12)


def raw_frames(world: list[list[list[event_pb2.Identifier]]]) -> Iterator[bytes]:
    ids = count()
    for offset, batch in enumerate(world):
        events = [event_pb2.Event(source="t", id=str(next(ids)), type="scan", identifiers=found) for found in batch]
        frame = log_pb2.RawFrame(received_at_ms=1000 + offset, records=[event_pb2.Record(event=e) for e in events])
        yield frame.SerializeToString()


def resolved_by(folder: Path, raw: list[bytes], lives: list[tuple[int, bool]]) -> list[tuple[int, bytes]]:
    """Returns the resolved log after runs that each fold some frames; some end without a snapshot."""
    folder.mkdir()
    (folder / "state").mkdir()
    for frames_now, snapshots in [*lives, (len(raw), True)]:
        resolved = LocalLog.create(str(folder / "resolved"))
        resolution = Resolution(Resolver(str(folder / "state")), resolved)
        start = resolution.offset()
        resolution.fold(list(enumerate(raw))[start : start + frames_now])
        if snapshots:
            resolution.snapshot()
        resolved.close()
    return LocalLog.follow(str(folder / "resolved")).read(0, 2**30)


@examples(30)
@given(world=frames, lives=st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=5))
def test_restarts_neither_lose_nor_repeat_frames(
    tmp_path_factory: pytest.TempPathFactory,
    world: list[list[list[event_pb2.Identifier]]],
    lives: list[tuple[int, bool]],
) -> None:
    root = tmp_path_factory.mktemp("resolution")
    raw = list(raw_frames(world))
    at_once = resolved_by(root / f"once{next(_folders)}", raw, [])
    assert resolved_by(root / f"lives{next(_folders)}", raw, lives) == at_once
    assert [log_pb2.ResolvedFrame.FromString(frame).raw_offset for _, frame in at_once] == list(range(len(raw)))


def test_missing_resolved_frames_are_reported(tmp_path: Path) -> None:
    raw = list(raw_frames([[[event_pb2.Identifier(namespace="card", value="1")]]]))
    resolved_by(tmp_path / "w", raw, [])
    with pytest.raises(DataLoss, match="state/identity"):
        Resolution(Resolver(str(tmp_path / "w" / "state")), LocalLog.create(str(tmp_path / "elsewhere")))


def test_a_frame_that_did_not_fit_on_the_disk_is_written_later(tmp_path: Path) -> None:
    raw = list(raw_frames([[[event_pb2.Identifier(namespace="card", value=f"c{n}")]] for n in range(3)]))
    (tmp_path / "state").mkdir()
    resolved = LocalLog.create(str(tmp_path / "resolved"))
    resolution = Resolution(Resolver(str(tmp_path / "state")), resolved)
    resolution.fold([(0, raw[0])])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Files cannot grow, as on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, limits[1]))
    try:
        with pytest.raises(StorageError):
            resolution.fold([(1, raw[1]), (2, raw[2])])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert resolution.offset() == 1
    resolution.fold([(1, raw[1]), (2, raw[2])])
    resolved.close()
    frames_read = LocalLog.follow(str(tmp_path / "resolved")).read(0, 2**30)
    written = [log_pb2.ResolvedFrame.FromString(frame).raw_offset for _, frame in frames_read]
    assert written == [0, 1, 2]
