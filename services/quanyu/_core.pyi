"""The Rust core as Python sees it. Every call releases the GIL; frames and messages are bytes."""

class CoreError(Exception): ...
class InvalidError(CoreError): ...

class InvalidPatternError(InvalidError):
    """A pattern is not valid RE2, or too large; `reason` says why, without the place and the pattern."""

    pattern: str
    reason: str

class UnsupportedError(CoreError): ...
class CorruptError(CoreError): ...
class StorageError(CoreError): ...
class DiskFullError(StorageError): ...
class LockedError(CoreError): ...
class OverBudgetError(CoreError): ...
class CancelledError(CoreError): ...

class LocalLog:
    """One partition of a durable, ordered log of frames in a folder. One process writes; any number read.

    Offsets count frames from 0. A reader sees only durable frames.
    """

    @staticmethod
    def create(path: str) -> LocalLog:
        """Opens for writing (made if missing), cuts a torn tail. LockedError if another process writes, CorruptError
        for damage elsewhere.
        """
    @staticmethod
    def follow(path: str) -> LocalLog:
        """Opens for reading, also while another process writes, and before the folder exists (then it is empty)."""
    def append(self, frame: bytes) -> int:
        """The frame's offset, once it is durable. Concurrent appends share one fsync. InvalidError from a follower or
        an empty frame.
        """
    def replace(self, frames: list[tuple[int, bytes]]) -> None:
        """Puts frames in the place of those with their offsets, which ascend; the former ones are no longer in the
        folder then. Interrupted, it has replaced all of a segment's or none. InvalidError from a follower.
        """
    def read(self, offset: int, max_bytes: int) -> list[tuple[int, bytes]]:
        """Frames from `offset` on: at least one where there is one, up to `max_bytes` together."""
    def end(self) -> int:
        """Offset of the next frame."""
    def wait(self, offset: int, timeout_ms: int) -> bool:
        """Blocks until `end() > offset` or the time is over; whether it is."""
    def bytes_on_disk(self) -> int: ...
    def close(self) -> None: ...

class Ingestor:
    """Validates, deduplicates and appends what one workspace sends. Writer of its raw and dead-letter logs."""

    def __init__(self, raw: LocalLog, rejects: LocalLog, state: str) -> None:
        """`state`: folder of the key generations; what is missing there is folded from the raw log."""
    def ingest(self, request: bytes, received_at_ms: int) -> bytes:
        """IngestRequest bytes to IngestResponse bytes, durable on return. InvalidError if the request itself is
        malformed or over 64 MiB.
        """
    def put_schema(self, schema: bytes, received_at_ms: int) -> int:
        """Merges Schema bytes into the schema and appends it; the raw offset to wait for. InvalidError, naming the
        field, if any part is wrong.
        """
    def record_decision(self, decision: bytes, received_at_ms: int) -> int:
        """Appends Decision bytes; the raw offset to wait for. InvalidError if they say nothing or have no key."""
    def schema(self) -> bytes:
        """Schema bytes as declared so far."""
    def close(self) -> None: ...

def peek_workspace(request: bytes) -> str:
    """Field 1 of a message, read without decoding the rest; '' if absent. InvalidError if malformed."""

class RecordEncoder:
    """Turns columns of a file into Ingest requests, following a mapping (JSON, see docs/import.md)."""

    def __init__(self, mapping: bytes, workspace: str) -> None:
        """InvalidError naming the field of the mapping that is wrong."""
    def encode(self, batch: bytes, first_row: int) -> list[bytes]:
        """An Arrow IPC stream (one schema, any batches) to IngestRequest bytes of at most 4 MiB each. InvalidError
        naming a missing column, or row and column of a value that does not fit.
        """

class Resolver:
    """The identity graph of one workspace: a fold of its raw log."""

    def __init__(self, state: str) -> None:
        """Opens the newest snapshot in `state`, or starts empty."""
    def offset(self) -> int:
        """Raw offset of the next frame to fold."""
    def fold(self, offset: int, frame: bytes) -> bytes:
        """RawFrame bytes to ResolvedFrame bytes; deterministic. InvalidError if `offset` is not the next."""
    def snapshot(self) -> None:
        """Writes state and offset atomically."""
    def received_at_ms(self) -> int: ...
    def redactor(self) -> Redactor | None:
        """What to take out of the logs, of all who were erased and whom they may still hold; None if that is nobody."""
    def forget(self, raw_offset: int) -> None:
        """The logs hold nothing more of whom decisions up to `raw_offset` erased; neither does any
        snapshot on return."""
    def owner(self, namespace: str, value: str) -> int:
        """The person that an identifier is of (a device: its own, whoever signed in there), or 0."""
    def all_erased(self, from_raw_offset: int) -> tuple[int, list[int]]:
        """(offset to go on from, ids of those erased from a raw offset on, each with all who were merged into it)."""
    def erased(self, key: str) -> tuple[int, int] | None:
        """(raw offset, the person that it erased or 0) of the decision with a key; None if there was none."""
    def resolve(self, namespace: str, value: str) -> int:
        """The person, or 0."""
    def batch_resolve(self, request: bytes) -> bytes:
        """BatchResolveRequest bytes to BatchResolveResponse bytes (without epoch)."""
    def person(self, person: int) -> bytes:
        """Person message bytes; empty if there is none."""
    def refusal(self, decision: bytes) -> tuple[str, int] | None:
        """Why a decision (Decision bytes) would change nothing now: UNKNOWN_PERSON, NOT_OF_PERSON with the place of the
        identifier, NOTHING_LEAVES, NOTHING_STAYS.
        """
    def outcome(self, decision: bytes) -> tuple[str, int, int, int] | None:
        """What came of it, if its key was decided: CONFLICT (another decision's key), VOID, ERASED, or SPLIT with the
        two persons and the raw offset to wait for.
        """
    def explain(self, from_namespace: str, from_value: str, to_namespace: str, to_value: str) -> bytes:
        """ExplainResponse bytes (without epoch)."""
    def identifiers(self, persons: bytes, namespace: str, max_rows: int) -> list[bytes]:
        """Roaring bytes to ListIdentifiersResponse messages of at most `max_rows` rows."""
    def policy(self) -> bytes:
        """GetPolicyResponse bytes."""
    def violations(self, before: int, limit: int) -> bytes:
        """ListViolationsResponse bytes: violations with index below `before` (0: newest), newest first;
        next_page_token is the next `before`.
        """
    def statistics(self) -> dict[str, int]:
        """persons, identifiers, edges, merges (aliases), splits, violations."""

class Redactor:
    """Takes what is of erased people out of frames. Deterministic: redacted frames are not redacted again.

    The newest frames are to be replaced first, and a raw one before its resolved one: whatever is folded again
    meanwhile comes to the same.
    """

    def raw_offsets(self) -> tuple[int, int]:
        """The first of the frames that may hold something, and the one after the last."""
    def redact(self, raw_offset: int, raw: bytes, resolved: bytes) -> tuple[bytes | None, bytes | None]:
        """The raw and the resolved frame to put in the place of these; None where nothing changes."""
    def redact_rejects(self, frame: bytes) -> bytes | None:
        """The same of a dead-letter frame."""

class Index:
    """People, events and catalogs of one workspace: a fold of its resolved log. Readers see immutable versions and
    never wait for the writer.

    `known_at`: as if the raw log had been folded up to this offset only; InvalidError beyond the epoch.
    """

    def __init__(self, state: str) -> None:
        """Opens the newest snapshot in `state`, or starts empty. CorruptError naming the file; UnsupportedError for
        another version's.
        """
    @staticmethod
    def follow(state: str) -> Index:
        """For reading beside the process whose folder it is: nothing changes there; `snapshot` is an InvalidError."""
    def offset(self) -> int:
        """Resolved offset of the next frame to fold."""
    def fold(self, frames: list[tuple[int, bytes]]) -> None:
        """Applies ResolvedFrames in order and publishes one version. InvalidError if an offset is not the next."""
    def tidy(self) -> bool:
        """Removes a part of what is still held of people who were erased; False if nothing is left. It is gone from the
        folder with the next snapshot.
        """
    def snapshot(self) -> None: ...
    def epoch(self) -> tuple[int, int]:
        """(raw offset complete up to, arrival of the newest frame in ms)."""
    def schema(self, known_at: int | None = None) -> bytes:
        """Schema bytes, with the values seen in enums and sets that learn them."""
    def declared(self) -> bytes:
        """Schema bytes as declared, and no more."""
    def channels(self, known_at: int | None = None) -> list[str]: ...
    def earliest_ms(self, known_at: int | None = None) -> int:
        """The first event's instant; 0 if there is none."""
    def statistics(self) -> dict[str, int]:
        """persons, events, catalog_items, partitions, bytes."""
    def evaluate(self, plan: bytes, known_at: int | None = None, limits: Limits | None = None) -> Answer:
        """InvalidError naming the node of the plan that is wrong; OverBudgetError, CancelledError beyond the limits."""
    def find(self, plan: bytes, known_at: int | None = None, limits: Limits | None = None) -> Answer:
        """Only the members, sooner: what is unknown is not counted, nor the clauses."""
    def verdicts(
        self, plan: bytes, persons: list[int], known_at: int | None = None, limits: Limits | None = None
    ) -> list[list[bool | None]]:
        """Of each root, what it says of each of these people; None is unknown. Others are read for rankings only."""
    def values(
        self, plan: bytes, persons: list[int], known_at: int | None = None, limits: Limits | None = None
    ) -> list[list[tuple[bytes, bool] | None]]:
        """Evaluates expressions (docs/plan.md): by expression, then by person, the value; None is unknown.

        A value is Value bytes (a duration is its milliseconds as a decimal), and whether it is a number that has more
        than six fractional digits and is rounded down to them. Every value of people outside the universe is unknown.
        """
    def witnesses(
        self, plan: bytes, person: int, newest: int, known_at: int | None = None, limits: Limits | None = None
    ) -> list[Witnesses]:
        """Finds the events of one person on which each root's condition rests; up to `newest` of them are given."""
    def explain(
        self, plan: bytes, known_at: int | None = None, limits: Limits | None = None
    ) -> tuple[Answer, Explanation]:
        """The same, and what each condition cost."""
    def profile(self, person: int, as_of_ms: int, known_at: int | None = None) -> bytes:
        """GetProfileResponse bytes (without tags and basis); empty if there is no such person."""
    def timeline(self, person: int, before: bytes, limit: int, known_at: int | None = None) -> bytes:
        """ListTimelineResponse bytes (without epoch), newest first; `before` is a former next_page_token, or empty."""
    def first_record_ms(self, person: int, known_at: int | None = None) -> int | None:
        """Returns the instant of the first record, -2^63 where it is always; None if there is no such person."""
    def attribute_changes(
        self, person: int, attributes: list[str], from_ms: int, to_ms: int, known_at: int | None = None
    ) -> list[int]:
        """Returns the instants, `from_ms <= at < to_ms`, after which an attribute has another value than before."""

class Witnesses:
    """The events of one person on which a condition rests. Segments, earlier instants, populations and tags inside the
    condition are left out. Events are TimelineEvent bytes.
    """

    count: int
    """How many events some count, aggregate or recency of the condition counts."""
    newest: list[bytes]
    """The newest of them, newest first."""
    oldest: bytes | None
    sequences: list[tuple[int, list[bytes]]]
    """For each sequence of the condition: how many of its first steps fit, and an event for each, oldest first.

    There are no events where only events older than the newest 20 of a step fit.
    """

class Dependencies:
    """What a root of a plan reads of people, and which of its instants and durations move its edges."""

    event_types: set[str]
    attributes: set[str]
    channels: bool
    ranks: bool
    """Whether the verdict on each person depends on other people."""
    ages_ms: set[int]
    """Distances of moving instants from the as-of; always with 0."""
    durations_ms: set[int]
    past_ms: int
    """How long before the as-of attributes are read at most; earlier instants that do not move are left out."""
    items_in_windows: bool
    """Whether instants of goods or places are compared with a moving window."""

def plan_dependencies(root: bytes) -> Dependencies:
    """Finds what a root (docs/plan.md) depends on. InvalidError naming the node that is wrong."""

class Limits:
    """What an evaluation may take."""

    def __init__(self, bytes: int) -> None:
        """Memory that it may hold at once, its answer included."""
    def cancel(self) -> None:
        """From any thread: the evaluation ends before its next block."""

class Explanation:
    """The conditions and rankings of an evaluated plan, equal ones once."""

    nodes: list[PlanNode]
    roots: list[int]
    """By root of the plan: its node."""

class PlanNode:
    """What belongs to one condition itself and not to its parts; times and bytes are sums over threads."""

    op: str
    """As in docs/plan.md; `ranking` for the values of a rank or tile, `item` for a condition on a catalog's items."""
    reads: list[str]
    """Attributes, event types and properties."""
    of: list[int]
    """Its parts."""
    evaluated: int
    """In how many blocks; filters of events: in how many batches."""
    unread: int
    """In how many of them it read no rows."""
    rows: int
    bytes: int
    microseconds: int
    matched: int
    """People, before they are narrowed to a population; filters of events: events."""

class Answer:
    """What a plan evaluated to, at one version of the index."""

    epoch: tuple[int, int]
    universe: int
    microseconds: int

    def matched(self, root: int) -> int: ...
    def counts(self, root: int) -> tuple[int, int]:
        """(matched, unknown); InvalidError where only the members were asked for, as for `clauses`."""
    def clauses(self, root: int) -> list[tuple[int, int]]:
        """(matched, unknown) of each top-level clause."""
    def roaring(self, root: int) -> bytes:
        """Members in the 64-bit Roaring portable format."""
    def page(self, root: int, after: int, limit: int) -> list[int]:
        """Members greater than `after`, ascending."""
    def contains(self, root: int, persons: list[int]) -> list[bool]: ...

def plan_waterfall(
    audience: bytes, steps: list[tuple[str, bytes, bool]], holdout_salt: str, holdout_basis_points: int
) -> tuple[list[tuple[str, int]], bytes, bytes]:
    """Narrows an audience step by step. A step (name, roaring bytes, keep) keeps (or removes) those people; last, the
    holdout
    removes who hashes below its basis points (XXH3-64 of salt, NUL, OneID little-endian, mod 10,000).

    Returns the counts [(name, remaining)] beginning with `audience`, the eligible and the held out as roaring bytes.
    """

def roaring_count(persons: bytes) -> int: ...
def roaring_ids(persons: bytes, after: int, limit: int) -> list[int]:
    """Ascending, greater than `after`; InvalidError for malformed bytes."""

def roaring_from_ids(persons: list[int]) -> bytes: ...
def roaring_union(a: bytes, b: bytes) -> bytes: ...
def roaring_difference(a: bytes, b: bytes) -> bytes: ...

class Live:
    """The live segments of one workspace: a fold of its membership log. One caller at a time steps and folds."""

    def __init__(self, state: str) -> None:
        """Opens what was saved in `state`, or starts empty. CorruptError naming the file."""
    def offset(self) -> int:
        """Of the next frame of the membership log to fold."""
    def fold(self, offset: int, frame: bytes) -> None:
        """InvalidError if it is not the next, is malformed, or is of another log; then nothing changes."""
    def put(self, segment: str, version: int, root: bytes) -> None:
        """Sets a segment's rule, as `quanyu.dsl.standing_root` gives it."""
    def refuse(self, segment: str, version: int, error: str) -> None:
        """Records why a segment's rule can no longer be evaluated; its members do not change."""
    def step(self, index: Index, as_of_ms: int, limits: Limits) -> list[bytes] | None:
        """Frames that bring the segments to the index and the instant: append them to the membership log and fold
        them in order, then `settle`. Without that the next step begins where the last one was settled. Where some
        segments are to be asked of everybody and others not, only some of those are; the rest is left to the next
        steps. None while the index has not come as far again, after a start, as it was at the last step.
        CancelledError.
        """
    def settle(self) -> bool:
        """Whether segments are left to the next steps."""
    def statuses(self) -> list[tuple[str, int, int, int, tuple[int, int, int] | None, str | None]]:
        """(segment, version, count, digest, (raw offset, arrival of the newest frame in ms, as-of in ms), error) by
        name. None before the members were first found; the error says why they are not fresher.
        """
    def members(self, segments: list[str]) -> tuple[int, list[tuple[str, int, bytes, int, int]]]:
        """The offset that the membership log is folded to, and (segment, version, roaring bytes, count, digest)."""
    def answer(self, segments: list[str]) -> tuple[Answer, int]:
        """One root a segment, without clauses and unknowns; and their as-of in ms, the earliest if they differ.
        InvalidError where members were not found yet.
        """
    def save(self) -> None:
        """Makes what was folded durable, so that opening need not fold the whole log."""
