"""The Python interface of the engine. Each call releases the GIL; frames and protobuf messages are bytes."""

class CoreError(Exception): ...
class InvalidError(CoreError): ...

class InvalidPatternError(InvalidError):
    """A regular expression is not valid RE2 or is too large. `reason` is the cause alone."""

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

    Offsets count frames from 0. Readers see only durable frames.
    """

    @staticmethod
    def create(path: str) -> LocalLog:
        """Opens or creates a log for writing and truncates a torn tail.

        Raises LockedError if another process writes, CorruptError for any other damage.
        """
    @staticmethod
    def follow(path: str) -> LocalLog:
        """Opens a log for reading. Another process may write. The log is empty until the folder exists."""
    def append(self, frame: bytes) -> int:
        """Appends a frame and returns its offset when it is durable. Concurrent appends share one fsync.

        Raises InvalidError if the log is open for reading or the frame is empty.
        """
    def replace(self, frames: list[tuple[int, bytes]]) -> None:
        """Replaces the frames at ascending offsets and removes the old frames from the disk.

        An interrupted call has replaced all or none of the frames of a segment file. Raises InvalidError if the log
        is open for reading.
        """
    def read(self, offset: int, max_bytes: int) -> list[tuple[int, bytes]]:
        """Returns frames from `offset` on, of at most `max_bytes` in total; at least one if there is one."""
    def end(self) -> int:
        """Returns the offset of the next frame."""
    def wait(self, offset: int, timeout_ms: int) -> bool:
        """Waits until `end() > offset` or the timeout; returns whether `end() > offset`."""
    def bytes_on_disk(self) -> int: ...
    def close(self) -> None: ...

class Ingestor:
    """Validates and deduplicates the records of a workspace and writes its raw and dead-letter logs."""

    def __init__(self, raw: LocalLog, rejects: LocalLog, state: str) -> None:
        """Opens the deduplication keys in the folder `state`; reads missing keys from the raw log."""
    def ingest(self, request: bytes, received_at_ms: int) -> bytes:
        """Ingests an IngestRequest and returns an IngestResponse when its records are durable.

        Raises InvalidError if the request is malformed or larger than 64 MiB.
        """
    def put_schema(self, schema: bytes, received_at_ms: int) -> int:
        """Merges a Schema into the schema, appends it and returns the raw offset to wait for.

        Raises InvalidError with the field that is wrong.
        """
    def record_decision(self, decision: bytes, received_at_ms: int) -> int:
        """Appends a Decision; returns the raw offset to wait for. Raises InvalidError if it is empty or has no key."""
    def schema(self) -> bytes:
        """Returns the declared Schema."""
    def close(self) -> None: ...

def peek_workspace(request: bytes) -> str:
    """Returns field 1 of a message without decoding the rest, or '' if it is absent. Raises InvalidError."""

class RecordEncoder:
    """Encodes the columns of a file as IngestRequests, as a mapping says (JSON, see docs/import.md)."""

    def __init__(self, mapping: bytes, workspace: str) -> None:
        """Checks the mapping. Raises InvalidError with the field that is wrong."""
    def encode(self, batch: bytes, first_row: int) -> list[bytes]:
        """Encodes an Arrow IPC stream as IngestRequests of at most 4 MiB each.

        Raises InvalidError with the missing column, or with the row and column of a value that has another type.
        """

class Resolver:
    """The identity graph of a workspace, which folds the raw log."""

    def __init__(self, state: str) -> None:
        """Opens the newest snapshot in the folder `state`, or starts empty."""
    def offset(self) -> int:
        """Returns the raw offset of the next frame to fold."""
    def fold(self, offset: int, frame: bytes) -> bytes:
        """Folds a RawFrame and returns its ResolvedFrame. Raises InvalidError if `offset` is not the next.

        The same frames always give the same result.
        """
    def snapshot(self) -> None:
        """Writes the state and its offset atomically."""
    def received_at_ms(self) -> int: ...
    def redactor(self) -> Redactor | None:
        """Returns the redactor of erased people whose data the logs may still hold, or None."""
    def forget(self, raw_offset: int) -> None:
        """Records that the logs hold no data of people erased up to `raw_offset`; removes it from snapshots."""
    def owner(self, namespace: str, value: str) -> int:
        """Returns the person who owns an identifier, or 0. The owner of a device is not the person signed in on it."""
    def all_erased(self, from_raw_offset: int) -> tuple[int, list[int]]:
        """Returns the offset to continue from, and the people erased since a raw offset with their aliases."""
    def erased(self, key: str) -> tuple[int, int] | None:
        """Returns the raw offset of the decision with a key and the person it erased or 0; None if there is none."""
    def resolve(self, namespace: str, value: str) -> int:
        """Returns the person of an identifier, or 0."""
    def batch_resolve(self, request: bytes) -> bytes:
        """Answers a BatchResolveRequest with a BatchResolveResponse without its epoch."""
    def person(self, person: int) -> bytes:
        """Returns a Person message, or b'' if there is no such person."""
    def refusal(self, decision: bytes) -> tuple[str, int] | None:
        """Returns the reason why a Decision would change nothing now, or None.

        The reason is UNKNOWN_PERSON, NOT_OF_PERSON (with the index of the identifier), NOTHING_LEAVES or NOTHING_STAYS.
        """
    def outcome(self, decision: bytes) -> tuple[str, int, int, int] | None:
        """Returns the outcome of an earlier decision with the same key, or None.

        The outcome is CONFLICT (the earlier decision differs), VOID, ERASED, or SPLIT with the two people and the raw
        offset to wait for.
        """
    def explain(self, from_namespace: str, from_value: str, to_namespace: str, to_value: str) -> bytes:
        """Returns an ExplainResponse without its epoch."""
    def identifiers(self, persons: bytes, namespace: str, max_rows: int) -> list[bytes]:
        """Returns the identifiers of a bitmap of people as ListIdentifiersResponses of at most `max_rows` rows."""
    def policy(self) -> bytes:
        """Returns a GetPolicyResponse."""
    def violations(self, before: int, limit: int) -> bytes:
        """Returns a ListViolationsResponse of violations before the index `before` (0: the newest), newest first.

        Its next_page_token is the next `before`.
        """
    def statistics(self) -> dict[str, int]:
        """Returns the numbers of persons, identifiers, edges, merges (aliases), splits and violations."""

class Redactor:
    """Removes the data of erased people from frames. A second redaction changes nothing.

    The caller replaces the newest frames first, and a raw frame before its resolved frame. Then a fold that runs
    meanwhile gives the same result.
    """

    def raw_offsets(self) -> tuple[int, int]:
        """Returns the half-open range of frames that may hold data of erased people."""
    def redact(self, raw_offset: int, raw: bytes, resolved: bytes) -> tuple[bytes | None, bytes | None]:
        """Returns the replacements of a raw and its resolved frame; None where nothing changes."""
    def redact_rejects(self, frame: bytes) -> bytes | None:
        """Returns the replacement of a dead-letter frame, or None if nothing changes."""

class Index:
    """The people, events and catalogs of a workspace, which fold the resolved log.

    Readers see immutable versions and never wait for the writer. With `known_at`, a call uses only the raw log up to
    this offset; it raises InvalidError if the offset is beyond the epoch.
    """

    def __init__(self, state: str) -> None:
        """Opens the newest snapshot in the folder `state`, or starts empty.

        Raises CorruptError with the file, or UnsupportedError if another version wrote the snapshot.
        """
    @staticmethod
    def follow(state: str) -> Index:
        """Opens an index for reading while another process owns the folder; `snapshot` raises InvalidError."""
    def offset(self) -> int:
        """Returns the resolved offset of the next frame to fold."""
    def fold(self, frames: list[tuple[int, bytes]]) -> None:
        """Applies ResolvedFrames in order, publishes one version. Raises InvalidError if an offset is not the next."""
    def tidy(self) -> bool:
        """Removes some of the data of erased people from memory; returns False if none is left.

        The next snapshot removes it from the disk.
        """
    def snapshot(self) -> None: ...
    def epoch(self) -> tuple[int, int]:
        """Returns the raw offset up to which the index is complete, and the arrival of the newest frame in ms."""
    def schema(self, known_at: int | None = None) -> bytes:
        """Returns the Schema, with the values seen in enums and sets that learn them."""
    def declared(self) -> bytes:
        """Returns the declared Schema alone."""
    def channels(self, known_at: int | None = None) -> list[str]: ...
    def earliest_ms(self, known_at: int | None = None) -> int:
        """Returns the instant of the first event, or 0 if there is none."""
    def statistics(self) -> dict[str, int]:
        """Returns the numbers of persons, events, catalog_items, partitions and bytes."""
    def evaluate(self, plan: bytes, known_at: int | None = None, limits: Limits | None = None) -> Answer:
        """Evaluates a plan (docs/plan.md).

        Raises InvalidError with the node that is wrong, OverBudgetError or CancelledError.
        """
    def find(self, plan: bytes, known_at: int | None = None, limits: Limits | None = None) -> Answer:
        """Evaluates only the members of a plan, which is faster; counts neither unknown people nor clauses."""
    def verdicts(
        self, plan: bytes, persons: list[int], known_at: int | None = None, limits: Limits | None = None
    ) -> list[list[bool | None]]:
        """Returns the verdict of each root on each person; None is unknown. Only rankings read other people."""
    def values(
        self, plan: bytes, persons: list[int], known_at: int | None = None, limits: Limits | None = None
    ) -> list[list[tuple[bytes, bool] | None]]:
        """Evaluates expressions (docs/plan.md); returns values by expression, then by person; None is unknown.

        A value is a Value message (a duration is its milliseconds as a decimal), and whether it is a number that is
        rounded down to six fractional digits. All values of people outside the universe are unknown.
        """
    def witnesses(
        self, plan: bytes, person: int, newest: int, known_at: int | None = None, limits: Limits | None = None
    ) -> list[Witnesses]:
        """Finds the events of one person that decide each root, at most `newest` of the newest ones."""
    def explain(
        self, plan: bytes, known_at: int | None = None, limits: Limits | None = None
    ) -> tuple[Answer, Explanation]:
        """Evaluates a plan and returns the cost of each condition."""
    def profile(self, person: int, as_of_ms: int, known_at: int | None = None) -> bytes:
        """Returns a GetProfileResponse without tags and basis, or b'' if there is no such person."""
    def timeline(self, person: int, before: bytes, limit: int, known_at: int | None = None) -> bytes:
        """Returns a ListTimelineResponse without its epoch, newest first; `before` is its page token or b''."""
    def first_record_ms(self, person: int, known_at: int | None = None) -> int | None:
        """Returns the instant of the first record, -2^63 for one without a time; None if there is no such person."""
    def attribute_changes(
        self, person: int, attributes: list[str], from_ms: int, to_ms: int, known_at: int | None = None
    ) -> list[int]:
        """Returns the instants, `from_ms <= at < to_ms`, after which an attribute has another value than before."""

class Witnesses:
    """The events of one person that decide a condition, as TimelineEvents.

    Segments, earlier instants, populations and tags inside the condition have no witnesses.
    """

    count: int
    """The number of events that a count, aggregate or recency of the condition counts."""
    newest: list[bytes]
    """The newest of these events, newest first."""
    oldest: bytes | None
    sequences: list[tuple[int, list[bytes]]]
    """For each sequence of the condition: the number of first steps that match, and an event for each, oldest first.

    The events are missing if only events older than the newest 20 of a step match.
    """

class Dependencies:
    """The data that a root of a plan reads, and the instants and durations at which its verdict can change."""

    event_types: set[str]
    attributes: set[str]
    channels: bool
    ranks: bool
    """Whether the verdict on each person depends on other people."""
    ages_ms: set[int]
    """The distances of moving instants from the as-of instant; always includes 0."""
    durations_ms: set[int]
    past_ms: int
    """The longest time before the as-of instant at which attributes are read; fixed instants do not count."""
    items_in_windows: bool
    """Whether an instant of a catalog item is compared with a moving window."""

def plan_dependencies(root: bytes) -> Dependencies:
    """Finds the dependencies of a root (docs/plan.md). Raises InvalidError with the node that is wrong."""

class Limits:
    """The limits of an evaluation."""

    def __init__(self, bytes: int) -> None:
        """Sets the number of bytes that the evaluation may hold at once, with its answer."""
    def cancel(self) -> None:
        """Ends the evaluation before its next block. Any thread may call it."""

class Explanation:
    """The conditions and rankings of an evaluated plan, each distinct one once."""

    nodes: list[PlanNode]
    roots: list[int]
    """The node of each root of the plan."""

class PlanNode:
    """The cost of one condition without its parts; times and bytes are sums over threads."""

    op: str
    """The operator in docs/plan.md, `ranking` for the values of a rank or tile, `item` for a condition on items."""
    reads: list[str]
    """The attributes, event types and properties that it reads."""
    of: list[int]
    """The nodes of its parts."""
    evaluated: int
    """The number of blocks; for a filter of events, of batches."""
    unread: int
    """The number of these blocks in which it read no rows."""
    rows: int
    bytes: int
    microseconds: int
    matched: int
    """The number of people before they are narrowed to a population; for a filter of events, of events."""

class Answer:
    """The result of a plan at one version of the index."""

    epoch: tuple[int, int]
    universe: int
    microseconds: int

    def matched(self, root: int) -> int: ...
    def counts(self, root: int) -> tuple[int, int]:
        """Returns the numbers of people who match and who are unknown. Raises InvalidError after `find`."""
    def clauses(self, root: int) -> list[tuple[int, int]]:
        """Returns the same numbers for each top-level clause. Raises InvalidError after `find`."""
    def roaring(self, root: int) -> bytes:
        """Returns the members in the portable 64-bit Roaring format."""
    def page(self, root: int, after: int, limit: int) -> list[int]:
        """Returns members greater than `after`, ascending."""
    def contains(self, root: int, persons: list[int]) -> list[bool]: ...

def plan_waterfall(
    audience: bytes, steps: list[tuple[str, bytes, bool]], holdout_salt: str, holdout_basis_points: int
) -> tuple[list[tuple[str, int]], bytes, bytes]:
    """Narrows an audience step by step and then removes the holdout.

    A step (name, bitmap, keep) keeps or removes the people of the bitmap. A person is in the holdout if XXH3-64 of the
    salt, NUL and the little-endian OneID, modulo 10,000, is below the basis points.

    Returns the counts [(name, remaining)], of which the first is `audience`, and two bitmaps: eligible and holdout.
    """

def roaring_count(persons: bytes) -> int: ...
def roaring_ids(persons: bytes, after: int, limit: int) -> list[int]:
    """Returns ids greater than `after`, ascending. Raises InvalidError for malformed bytes."""

def roaring_from_ids(persons: list[int]) -> bytes: ...
def roaring_union(a: bytes, b: bytes) -> bytes: ...
def roaring_difference(a: bytes, b: bytes) -> bytes: ...

class Live:
    """The live segments of a workspace, which fold its membership log. One thread at a time steps and folds."""

    def __init__(self, state: str) -> None:
        """Opens the state saved in the folder `state`, or starts empty. Raises CorruptError with the file."""
    def offset(self) -> int:
        """Returns the offset of the next frame of the membership log to fold."""
    def fold(self, offset: int, frame: bytes) -> None:
        """Folds a frame. Raises InvalidError if it is not the next, is malformed or belongs to another log."""
    def put(self, segment: str, version: int, root: bytes) -> None:
        """Sets the rule of a segment: a root of `quanyu.dsl.compile_live_segment`."""
    def refuse(self, segment: str, version: int, error: str) -> None:
        """Records the error of a rule that can no longer be evaluated. Its members do not change."""
    def step(self, index: Index, as_of_ms: int, limits: Limits) -> list[bytes] | None:
        """Returns the frames that update the segments to the index and the instant. Raises CancelledError.

        The caller appends the frames to the membership log, folds them in order and calls `settle`; otherwise the next
        step starts from the last settled one. A step evaluates only some of the segments that need all people; later
        steps evaluate the others. Returns None if the index is behind the last step, as after a restart.
        """
    def settle(self) -> bool:
        """Completes a step; returns whether segments remain for later steps."""
    def statuses(self) -> list[tuple[str, int, int, int, tuple[int, int, int] | None, str | None]]:
        """Returns (segment, version, count, digest, freshness, error) in order of the names.

        Freshness is (raw offset, arrival of the newest frame in ms, as-of in ms), or None before the first evaluation.
        The error says why the members are not fresher.
        """
    def members(self, segments: list[str]) -> tuple[int, list[tuple[str, int, bytes, int, int]]]:
        """Returns the offset of the membership log and (segment, version, bitmap, count, digest) of each segment."""
    def answer(self, segments: list[str]) -> tuple[Answer, int]:
        """Returns an answer with one root for each segment, and their earliest as-of instant in ms.

        The answer has no clauses and no unknown counts. Raises InvalidError before the first evaluation.
        """
    def save(self) -> None:
        """Saves the state, so that opening does not fold the whole log."""
