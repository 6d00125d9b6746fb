"""Quanyu: a rule's text is read, compiled and evaluated in the process that has the index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyroaring

from loadtests.bench.quanyu import loading
from loadtests.bench.quanyu.declared import EVERYBODY, NAMESPACE, WORKSPACE
from loadtests.bench.questions import SEGMENTS, Question
from loadtests.bench.system import NotAnswered, People
from loadtests.bench.world import AS_OF_MS, Watch, World
from quanyu.api.identity.v1 import identity_pb2
from quanyu.dsl import Library
from quanyu.engine import Answer, Index, Resolver, roaring_count, roaring_difference
from quanyu.runtime.db import Database
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.eventlog import follow_log
from quanyu.runtime.folder import DataFolder
from quanyu.runtime.worker import FRAMES_BYTES
from quanyu.tagging.domain import Reading, preview
from quanyu.tagging.store import all_rules
from quanyu.tagging.workspace import names_of

_DAY_MS = 86_400_000
_ROWS = 100_000


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
            library = Library.of(rule.text for rule in all_rules(session, WORKSPACE))
        database.close()
        self._reading = names_of(self._index).reading(library, AS_OF_MS)

    def ask(self, question: Question) -> list[int]:
        if question.shape == "segments":
            answer = self._segments(self._reading)
            return [answer.counts(root)[0] for root in range(len(SEGMENTS))]
        if question.shape == "changes":
            return [roaring_count(changed) for changed in self._changes()]
        answer = self._answer(question)
        if question.shape == "bytes":
            answer.roaring(0)
        return [answer.counts(0)[0]]

    def members(self, question: Question, parts: Sequence[int]) -> list[People]:
        if question.shape == "changes":
            changes = self._changes()
            return [self._people(changes[part]) for part in parts]
        answer = self._segments(self._reading) if question.shape == "segments" else self._answer(question)
        return [self._people(answer.roaring(part)) for part in parts]

    def _answer(self, question: Question) -> Answer:
        try:
            if question.mode == "ad hoc":
                return preview(self._reading, self._index, question.rule).answer
            return self._reading.ask(self._index, [self._reading.compile_segment(question.name, 1)])
        except InvalidInput as refusal:
            if refusal.reason != "RULE_NOT_COMPILED_YET":
                raise
            raise NotAnswered(refusal.message.splitlines()[0]) from refusal

    def _segments(self, reading: Reading) -> Answer:
        return reading.ask(self._index, [reading.compile_segment(segment.name, 1) for segment in SEGMENTS])

    def _changes(self) -> list[bytes]:
        """Who joined and who left each segment in turn, since a day before."""
        yesterday = replace(self._reading, clock=replace(self._reading.clock, as_of_ms=AS_OF_MS - _DAY_MS))
        now, before = self._segments(self._reading), self._segments(yesterday)
        pairs = ((now.roaring(root), before.roaring(root)) for root in range(len(SEGMENTS)))
        return [changed for a, b in pairs for changed in (roaring_difference(a, b), roaring_difference(b, a))]

    def _people(self, roaring: bytes) -> People:
        if self._numbered is None:
            self._numbered = self._everybody()
        persons, numbers = self._numbered
        found = np.array(pyroaring.BitMap64.deserialize(roaring).to_array(), dtype=np.uint64)
        return np.sort(numbers[np.searchsorted(persons, found)])

    def _everybody(self) -> tuple[npt.NDArray[np.uint64], People]:
        """All OneIDs, ascending, and each one's number in the world, which is on the card."""
        folder = DataFolder.existing(self._data)
        resolver = Resolver(str(folder.state(WORKSPACE, "identity")))
        everybody = preview(self._reading, self._index, EVERYBODY).answer.roaring(0)
        chunks = resolver.identifiers(everybody, NAMESPACE, _ROWS)
        messages = [identity_pb2.ListIdentifiersResponse.FromString(chunk) for chunk in chunks]
        persons = np.concatenate([np.array(message.persons, dtype=np.uint64) for message in messages])
        numbers = [int(card.removeprefix("c")) for message in messages for card in message.values]
        return persons, np.array(numbers, dtype=np.uint32)
