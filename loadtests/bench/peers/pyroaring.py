"""pyroaring: in-memory bitmaps for each value of each attribute, and for each number of days without a touch.

It answers only the questions that such bitmaps can answer; it stores no other data of events.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import and_, or_
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyroaring import BitMap

from loadtests.bench.questions import SEGMENTS, Question, Segment
from loadtests.bench.system import NotAnswered, People
from loadtests.bench.world import AS_OF_MS, Watch, World
from loadtests.bench.world.events import DAYS
from loadtests.bench.world.habits import CHANNELS
from loadtests.bench.world.people import CITIES, LEVELS

_DAY_MS = 86_400_000
# Keys are name and value, such as ("city", "city-007") or ("untouched", "30").
Bitmaps = dict[tuple[str, str], BitMap]


class Pyroaring:
    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self._file = folder / "bitmaps.pickle"

    def load(self, watch: Watch) -> None:
        """Loads attributes only. `maintain` reads the events."""
        bitmaps = _attributes(self._world.people)
        self._file.write_bytes(pickle.dumps(bitmaps))
        watch(self._world.scale.people, self._world.scale.people)

    def maintain(self) -> None:
        self.open()
        for suffix, as_of_ms in (("", AS_OF_MS), ("_before", AS_OF_MS - _DAY_MS)):
            self._bitmaps |= _touches(self._world, as_of_ms, suffix)
        self._bitmaps["active_30d", "2"] = _active(self._world, AS_OF_MS - 30 * _DAY_MS)
        for bitmap in self._bitmaps.values():
            bitmap.run_optimize()
        self._file.write_bytes(pickle.dumps(self._bitmaps))

    def open(self) -> None:
        self._bitmaps: Bitmaps = pickle.loads(self._file.read_bytes())

    def ask(self, question: Question) -> list[int]:
        if question.shape == "segments":
            return [len(self._segment(segment)) for segment in SEGMENTS]
        if question.shape == "changes":
            return [len(people) for segment in SEGMENTS for people in self._changes(segment)]
        people = self._people(question)
        if question.shape == "bytes":
            people.serialize()
        return [len(people)]

    def members(self, question: Question, parts: Sequence[int]) -> list[People]:
        return [np.array(self._part(question, part).to_array(), dtype=np.uint32) for part in parts]

    def _part(self, question: Question, part: int) -> BitMap:
        if question.shape == "segments":
            return self._segment(SEGMENTS[part])
        if question.shape == "changes":
            return self._changes(SEGMENTS[part // 2])[part % 2]
        return self._people(question)

    def _people(self, question: Question) -> BitMap:
        answers: dict[str, Callable[[], BitMap]] = {
            "quiet_kept": self._quiet,
            "five_clauses": self._five_clauses,
            "full_kept": lambda: self._quiet() & self._any("city", CITIES[:4]) & self._any("active_30d", ["2"]),
            "export": lambda: self._any("gender", ["female"]),
        }
        if question.name not in answers:
            raise NotAnswered("needs more than bitmaps")
        return answers[question.name]()

    def _quiet(self) -> BitMap:
        return self._any("untouched", ["30"]) & self._any("channel", ["pos", "miniapp"])

    def _five_clauses(self) -> BitMap:
        born = self._any("birth_year", map(str, range(1955, 1990)))
        return self._quiet() & self._any("city", CITIES[:4]) & self._any("level", LEVELS[1:]) & born

    def _segment(self, segment: Segment, suffix: str = "") -> BitMap:
        wanted = (
            self._any(f"untouched{suffix}", [str(segment.days)]),
            self._any(f"channel{suffix}", [segment.channel]),
            self._any("city", [segment.city]),
            self._any("level", LEVELS[LEVELS.index(segment.level) :]),
        )
        return reduce(and_, sorted(wanted, key=len))

    def _changes(self, segment: Segment) -> tuple[BitMap, BitMap]:
        """Returns who entered and who left."""
        now, before = self._segment(segment), self._segment(segment, "_before")
        return now - before, before - now

    def _any(self, name: str, values: Iterable[str]) -> BitMap:
        return reduce(or_, (self._bitmaps[name, value] for value in values))


def _attributes(people: Path) -> Bitmaps:
    table = pq.read_table(people, columns=["number", "city", "level", "gender", "birthday"])
    numbers = table["number"].to_numpy()
    columns = {name: table[name] for name in ("city", "level", "gender")}
    columns["birth_year"] = pc.year(table["birthday"]).cast("string").dictionary_encode()
    bitmaps: Bitmaps = {}
    for name, column in columns.items():
        column = column.combine_chunks()
        codes = pc.fill_null(column.indices, -1).to_numpy()
        for code, value in enumerate(column.dictionary.to_pylist()):
            bitmaps[name, value] = BitMap(numbers[codes == code])
    return bitmaps


def _touches(world: World, as_of_ms: int, suffix: str) -> Bitmaps:
    """Returns, for each number of days, who had no touch for longer, and for each channel, who was seen in it."""
    last, seen = _last_touches(world, as_of_ms)
    bitmaps: Bitmaps = {}
    for days in range(1, DAYS + 1):
        quiet = (last > 0) & (last < as_of_ms - days * _DAY_MS)
        bitmaps[f"untouched{suffix}", str(days)] = _where(quiet)
    for channel, people in zip(CHANNELS, seen, strict=True):
        bitmaps[f"channel{suffix}", channel] = _where(people)
    return bitmaps


def _last_touches(world: World, as_of_ms: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Returns the last touch of each person in ms (0: none), and for each channel who was seen in it."""
    last = np.zeros(world.scale.people, dtype=np.int64)
    seen = np.zeros((len(CHANNELS), world.scale.people), dtype=np.bool_)
    for batch in pq.ParquetFile(world.events).iter_batches(columns=["person", "type", "occurred_at", "channel"]):
        at = batch["occurred_at"].cast("int64").to_numpy()
        person = batch["person"].to_numpy()
        touch = pc.is_in(batch["type"].cast("string"), pa.array(["order", "scan"])).to_numpy(zero_copy_only=False)
        touch &= at < as_of_ms
        # Events are sorted by time, and the last assignment to an index wins.
        last[person[touch]] = at[touch]
        channel = pc.index_in(batch["channel"].cast("string"), pa.array(CHANNELS)).to_numpy()
        earlier = at < as_of_ms
        seen[channel[earlier], person[earlier]] = True
    return last, seen


def _active(world: World, since_ms: int) -> BitMap:
    """Returns the people with at least two events since then."""
    counts = np.zeros(world.scale.people, dtype=np.uint32)
    for batch in pq.ParquetFile(world.events).iter_batches(columns=["person", "occurred_at"]):
        person = batch["person"].to_numpy()[batch["occurred_at"].cast("int64").to_numpy() >= since_ms]
        if len(person):
            counts += np.bincount(person, minlength=len(counts)).astype(np.uint32)
    return _where(counts >= 2)


def _where(flags: npt.NDArray[np.bool_]) -> BitMap:
    return BitMap(np.flatnonzero(flags).astype(np.uint32))
