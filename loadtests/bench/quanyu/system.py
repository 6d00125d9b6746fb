"""Quanyu: parses, compiles and evaluates the text of a rule in the process that holds the index."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyroaring

from loadtests.bench.quanyu import loading
from loadtests.bench.quanyu.declared import EVERYBODY, NAMESPACE, WORKSPACE
from loadtests.bench.questions import QUESTIONS, SEGMENTS, Question
from loadtests.bench.system import NotAnswered, People
from loadtests.bench.world import AS_OF_MS, Watch, World
from quanyu.api.identity.v1 import identity_pb2
from quanyu.api.tagging.v1 import tagging_pb2
from quanyu.dsl import Library, compile_condition, join_roots
from quanyu.engine import Answer, Index, Limits, Live, Resolver, roaring_count, roaring_from_ids
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.log_follower import FRAMES_BYTES
from quanyu.runtime.storage.data_folder import DataFolder
from quanyu.runtime.storage.database import Database
from quanyu.runtime.storage.event_log import follow_log
from quanyu.tagging.storage.store import all_rules
from quanyu.tagging.workspace import read_schema_snapshot

_DAY_MS = 86_400_000
_ROWS = 100_000
_LIMITS = Limits(2**30)
_NAMES = [segment.name for segment in SEGMENTS]


class Quanyu:
    def __init__(self, world: World, folder: Path) -> None:
        self._data = folder / loading.DATA
        self._loading = loading.Loading(world, self._data)
        self._numbered: tuple[npt.NDArray[np.uint64], People] | None = None

    def load(self, watch: Watch) -> None:
        self._loading.load(watch)

    def maintain(self) -> None:
        self._loading.publish()

    def open(self) -> None:
        folder = DataFolder.existing(self._data)
        self._index = Index.follow(str(folder.state(WORKSPACE, "tagging")))
        resolved = follow_log(folder, WORKSPACE, "resolved")
        while resolved.end() > self._index.offset():
            self._index.fold(resolved.read(self._index.offset(), FRAMES_BYTES))
        resolved.close()
        database = Database(folder.database_url())
        with database.reading() as session:
            library = Library.from_texts(rule.text for rule in all_rules(session, WORKSPACE))
        database.close()
        self._evaluation = read_schema_snapshot(self._index).evaluation_at(library, AS_OF_MS)
        kept = [q.name for q in QUESTIONS if q.mode == "maintained" and q.shape == "people"]
        self._roots = {name: self._evaluation.compile_live_segment(name, 1)[0] for name in kept + _NAMES}
        self._live = self._begun()

    def _begun(self) -> Live:
        """Returns the live segments of one day earlier. Later steps are not settled, so each one does the same work."""
        self._live_folder = tempfile.TemporaryDirectory()
        live = Live(self._live_folder.name)
        for name in _NAMES:
            live.put(name, 1, self._roots[name])
        is_left = True
        while is_left:
            for frame in live.step(self._index, AS_OF_MS - _DAY_MS, _LIMITS) or []:
                live.fold(live.offset(), frame)
            is_left = live.settle()
        return live

    def ask(self, question: Question) -> list[int]:
        if question.shape == "segments":
            answer = self._standing(_NAMES)
            return [answer.matched(root) for root in range(len(SEGMENTS))]
        if question.shape == "changes":
            return [roaring_count(changed) if changed else 0 for changed in self._changes()]
        answer = self._answer(question)
        if question.shape == "bytes":
            answer.roaring(0)
        return [answer.matched(0)]

    def members(self, question: Question, parts: Sequence[int]) -> list[People]:
        if question.shape == "changes":
            changes = self._changes()
            return [self._people(changes[part] or roaring_from_ids([])) for part in parts]
        answer = self._standing(_NAMES) if question.shape == "segments" else self._answer(question)
        return [self._people(answer.roaring(part)) for part in parts]

    def _answer(self, question: Question) -> Answer:
        try:
            if question.mode == "ad hoc":
                return self._found(question.rule)
            return self._standing([question.name])
        except InvalidInput as refusal:
            if refusal.reason != "RULE_NOT_COMPILED_YET":
                raise
            raise NotAnswered(refusal.message.splitlines()[0]) from refusal

    def _found(self, text: str) -> Answer:
        evaluation = self._evaluation
        compiled = compile_condition(evaluation.bind(text), evaluation.library, evaluation.catalog, evaluation.clock)
        return evaluation.find(self._index, [compiled])

    def _standing(self, names: Sequence[str]) -> Answer:
        return self._index.find(join_roots(AS_OF_MS, [self._roots[name] for name in names]))

    def _changes(self) -> list[bytes]:
        """Returns, for each segment in turn, who entered and who left since one day earlier."""
        moved: dict[str, tuple[bytes, bytes]] = {}
        for frame in self._live.step(self._index, AS_OF_MS, _LIMITS) or []:
            for moves in tagging_pb2.MembershipFrame.FromString(frame).moves:
                assert moves.segment not in moved, "more moves than one frame holds"
                moved[moves.segment] = moves.entered, moves.left
        return [changed for name in _NAMES for changed in moved.get(name, (b"", b""))]

    def _people(self, roaring: bytes) -> People:
        if self._numbered is None:
            self._numbered = self._everybody()
        persons, numbers = self._numbered
        found = np.array(pyroaring.BitMap64.deserialize(roaring).to_array(), dtype=np.uint64)
        return np.sort(numbers[np.searchsorted(persons, found)])

    def _everybody(self) -> tuple[npt.NDArray[np.uint64], People]:
        """Returns all OneIDs in ascending order, and each person's number in the data set, taken from the card."""
        folder = DataFolder.existing(self._data)
        resolver = Resolver(str(folder.state(WORKSPACE, "identity")))
        everybody = self._found(EVERYBODY).roaring(0)
        chunks = resolver.identifiers(everybody, NAMESPACE, _ROWS)
        messages = [identity_pb2.ListIdentifiersResponse.FromString(chunk) for chunk in chunks]
        persons = np.concatenate([np.array(message.persons, dtype=np.uint64) for message in messages])
        numbers = [int(card.removeprefix("c")) for message in messages for card in message.values]
        return persons, np.array(numbers, dtype=np.uint32)
