"""The rules of delivery as pure functions: message keys, coupon codes, states, backoff, templates, completion."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

STEPS = ("has_identifier", "consented", "not_suppressed", "under_cap", "not_held_out")
TEMPLATE_FIELDS = ("coupon", "identifier")
NAME = re.compile(r"\w(?:[\w .-]*\w)?")
COUPON_PREFIX = re.compile(r"[A-Za-z0-9_-]{0,32}")
DAY_MS = 86_400_000


class CampaignState(StrEnum):
    DRAFT = "draft"
    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    NEEDS_ATTENTION = "needs_attention"


class MessageState(StrEnum):
    # An eligible person without a message yet; no row has this state.
    PENDING = "pending"
    CLAIMED = "claimed"
    DISPATCHING = "dispatching"
    RETRY_WAIT = "retry_wait"
    AMBIGUOUS = "ambiguous"
    ACCEPTED = "accepted"
    DEAD = "dead"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


TERMINAL = frozenset({MessageState.ACCEPTED, MessageState.DEAD, MessageState.EXPIRED, MessageState.CANCELLED})

TRANSITIONS: Mapping[MessageState, frozenset[MessageState]] = {
    MessageState.PENDING: frozenset({MessageState.CLAIMED, MessageState.CANCELLED}),
    MessageState.CLAIMED: frozenset({MessageState.DISPATCHING, MessageState.CANCELLED, MessageState.EXPIRED}),
    # Also to itself: after a crash the message is sent again with the same key.
    MessageState.DISPATCHING: frozenset(
        {
            MessageState.DISPATCHING,
            MessageState.ACCEPTED,
            MessageState.RETRY_WAIT,
            MessageState.AMBIGUOUS,
            MessageState.DEAD,
        }
    ),
    MessageState.RETRY_WAIT: frozenset({MessageState.DISPATCHING, MessageState.CANCELLED, MessageState.EXPIRED}),
    MessageState.AMBIGUOUS: frozenset({MessageState.ACCEPTED, MessageState.DEAD}),
    MessageState.ACCEPTED: frozenset(),
    MessageState.DEAD: frozenset(),
    MessageState.EXPIRED: frozenset(),
    MessageState.CANCELLED: frozenset(),
}


def sources_of(target: MessageState) -> list[MessageState]:
    """Returns the states from which a message can change to `target`."""
    return [state for state, targets in TRANSITIONS.items() if target in targets]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of sending one message."""

    state: MessageState
    detail: str = ""
    # The seconds that the receiver asks to wait.
    retry_after: float | None = None


ACCEPTED = Outcome(MessageState.ACCEPTED)


def is_complete(eligible: int, counts: Mapping[str, int]) -> bool:
    """Returns whether each eligible person has a message in a terminal state, so that the campaign is done."""
    return eligible == sum(counts.get(state, 0) for state in TERMINAL) and not counts.get(MessageState.AMBIGUOUS)


def message_keys(workspace: str, campaign: str, version: int, step: int, channel: str) -> Callable[[int], bytes]:
    """Returns a function that computes the 16-byte idempotency key of a person's message.

    The key never changes, and it differs if any of the arguments differs.
    """
    prefix = blake2b(digest_size=16, person=b"quanyu.message")
    for part in (workspace, campaign, str(version), str(step), channel):
        encoded = part.encode()
        prefix.update(len(encoded).to_bytes(4, "little") + encoded)

    def key_of(person: int) -> bytes:
        hasher = prefix.copy()
        hasher.update(person.to_bytes(8, "little"))
        return hasher.digest()

    return key_of


# The alphabet of Crockford's base 32, without I, L, O and U, which people misread.
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Two characters for each ten bits.
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]


def coupon_code(prefix: str, key: bytes, draw: int = 0) -> str:
    """Returns a code of 60 bits derived from the message key; another `draw` gives another code if one is taken."""
    digest = blake2b(key, digest_size=8, person=b"quanyu.coupon", salt=draw.to_bytes(4, "little")).digest()
    bits = int.from_bytes(digest, "little")
    return prefix + "".join([_PAIRS[bits >> shift & 1023] for shift in range(0, 60, 10)])


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff with full jitter, in seconds. By default, a receiver can be down for about two hours."""

    base: float = 1.0
    cap: float = 3600.0
    attempts: int = 16

    def delay(self, attempt: int, retry_after: float | None, chance: float) -> float:
        """Returns the seconds to wait after attempt number `attempt` (from 1) failed, at least `retry_after`.

        `chance` is uniform in [0, 1).
        """
        jitter = chance * min(self.cap, self.base * 2.0 ** min(attempt - 1, 60))
        return jitter + (retry_after or 0.0)

    def is_exhausted(self, attempt: int) -> bool:
        return attempt >= self.attempts


def parse_template(template: str) -> list[tuple[str, str | None]]:
    """Splits a template into texts, each followed by a field name or None; raises ValueError if it is malformed."""
    pieces: list[tuple[str, str | None]] = []
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"the template is malformed: {error}; write {{{{ and }}}} for braces") from error
    for text, field, spec, conversion in parsed:
        if field is not None and field not in TEMPLATE_FIELDS:
            known = ", ".join(f"{{{name}}}" for name in TEMPLATE_FIELDS)
            raise ValueError(f"the template has an unknown field {{{field}}}; the fields are {known}")
        if spec or conversion:
            raise ValueError(f"the template formats {{{field}}} with `!` or `:`; write only {{{field}}}")
        pieces.append((text, field))
    return pieces


def render(pieces: list[tuple[str, str | None]], coupon: str, identifier: str) -> str:
    values = {"coupon": coupon, "identifier": identifier}
    return "".join(text if field is None else text + values[field] for text, field in pieces)


def name_problem(name: str) -> str | None:
    """Returns why a name is not valid, or None. Names are used for folders."""
    if NAME.fullmatch(name) and len(name.encode()) <= 120:
        return None
    return f"{name[:120]!r} is not a name: use letters, digits and _, inside also -, . and spaces, at most 120 bytes"
