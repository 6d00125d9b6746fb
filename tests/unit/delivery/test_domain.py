"""Rules of delivery, against their definitions."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quanyu.delivery.domain import (
    TERMINAL,
    TRANSITIONS,
    Backoff,
    MessageState,
    coupon_code,
    is_complete,
    message_keys,
    name_problem,
    parse_template,
    render,
    sources_of,
)

persons = st.integers(1, 2**64 - 1)
names = st.text(max_size=20)
keys = st.binary(min_size=16, max_size=16)
runs = st.tuples(names, names, st.integers(1, 9), st.integers(1, 9), names)


@given(runs, persons, runs, persons)
def test_a_key_is_one_message_of_one_run(
    run: tuple[str, str, int, int, str], person: int, other: tuple[str, str, int, int, str], other_person: int
) -> None:
    key, other_key = message_keys(*run)(person), message_keys(*other)(other_person)
    assert len(key) == 16
    assert (key == other_key) == ((run, person) == (other, other_person))


@given(names, names)
def test_a_key_knows_where_a_name_ends(workspace: str, campaign: str) -> None:
    assume(workspace)
    moved = message_keys(workspace[:-1], workspace[-1] + campaign, 1, 1, "sms")
    assert message_keys(workspace, campaign, 1, 1, "sms")(7) != moved(7)


def test_keys_never_change() -> None:
    """A resumed campaign of another release must give the same keys."""
    assert message_keys("demo", "recall", 1, 1, "letters")(4294967297).hex() == "9e63a8102d98558012aeb280f1601456"
    assert coupon_code("SPRING-", bytes(range(16))) == "SPRING-7GBSMVBB08KD"


@given(st.lists(keys, unique=True, max_size=50), st.integers(0, 5))
def test_coupons_follow_from_keys(made: list[bytes], draw: int) -> None:
    codes = [coupon_code("C", key, draw) for key in made]
    assert codes == [coupon_code("C", key, draw) for key in made]
    assert len(set(codes)) == len(made)
    assert all(re.fullmatch(r"C[0-9A-HJKMNP-TV-Z]{12}", code) for code in codes)


@given(keys)
def test_another_draw_is_another_coupon(key: bytes) -> None:
    assert len({coupon_code("", key, draw) for draw in range(8)}) == 8


def test_states_end_where_they_should() -> None:
    assert set(TRANSITIONS) == set(MessageState)
    assert {state for state in MessageState if not TRANSITIONS[state]} == TERMINAL
    # Nothing is accepted that was not committed as dispatching before.
    assert set(sources_of(MessageState.ACCEPTED)) == {MessageState.DISPATCHING, MessageState.AMBIGUOUS}
    # What may have been sent is not called off any more.
    assert MessageState.DISPATCHING not in sources_of(MessageState.CANCELLED)


def test_every_message_can_come_to_an_end() -> None:
    ends = set(TERMINAL)
    while grown := {state for state in MessageState if TRANSITIONS[state] & ends} - ends:
        ends |= grown
    assert ends == set(MessageState)


@given(st.dictionaries(st.sampled_from(MessageState), st.integers(0, 100)))
def test_done_is_when_everybody_is_accounted_for(counts: dict[MessageState, int]) -> None:
    eligible = sum(counts.values())
    unsettled = sum(count for state, count in counts.items() if state not in TERMINAL)
    assert is_complete(eligible, counts) == (unsettled == 0)
    assert not is_complete(eligible + 1, counts)


@given(st.integers(1, 10_000), st.none() | st.floats(0, 86_400), st.floats(0, 1, exclude_max=True))
def test_backoff_waits_at_least_as_long_as_asked(attempt: int, asked: float | None, chance: float) -> None:
    backoff = Backoff(base=0.5, cap=60.0)
    wait = backoff.delay(attempt, asked, chance)
    assert (asked or 0) <= wait <= (asked or 0) + min(60.0, 0.5 * 2.0 ** min(attempt - 1, 100))


def test_backoff_is_exponential_with_full_jitter() -> None:
    backoff = Backoff(base=1.0, cap=10.0, attempts=3)
    assert [backoff.delay(attempt, None, 0.5) for attempt in range(1, 7)] == [0.5, 1, 2, 4, 5, 5]
    assert backoff.delay(4, None, 0.0) == 0
    assert [backoff.is_exhausted(attempt) for attempt in (1, 2, 3, 4)] == [False, False, True, True]


@given(st.text(), names, names)
def test_a_template_renders_its_text_as_it_is(text: str, coupon: str, identifier: str) -> None:
    escaped = text.replace("{", "{{").replace("}", "}}")
    pieces = parse_template(f"{escaped}{{coupon}}/{{identifier}}{escaped}")
    assert render(pieces, coupon, identifier) == f"{text}{coupon}/{identifier}{text}"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("Hello {name}", "unknown field {name}"),
        ("{coupon.__class__}", "unknown field"),
        ("{coupon[0]}", "unknown field"),
        ("{}", "unknown field {}"),
        ("{coupon!r}", "write only {coupon}"),
        ("{coupon:>9}", "write only {coupon}"),
        ("{coupon", "malformed"),
        ("50% } off", "malformed"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(template: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_template(template)


@pytest.mark.parametrize("name", ["recall", "Spring recall 2018", "春季召回", "a", "a.b-c_d"])
def test_names(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", "a\0", ".hidden", "a ", "a\n", "x" * 121, "召" * 41]
)
def test_names_that_are_no_folders(name: str) -> None:
    assert name_problem(name) is not None
