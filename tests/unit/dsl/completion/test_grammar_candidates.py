"""Keywords, windows and example values at a cursor."""

from quanyu.dsl.completion.grammar_candidates import _WINDOWS, Completion, make_candidate
from quanyu.dsl.parsing.parser import parse_condition
from tests.unit.dsl.completion.at_bar import at_bar, labels, texts


def test_the_rest_of_a_keyword_of_several_words_is_offered() -> None:
    assert at_bar("did order at le|").items[0].text == "least"
    assert at_bar("did order at le|").items[0].label == "at least"
    assert labels("city is |")[:2] == ["is known", "is unknown"]
    assert texts("did order for the |")[0] == "first time"
    assert texts("city = 'x' including unk|") == ["unknown"]
    assert "unknown" in texts("city = 'x' including |")
    assert "in segment" in texts("was |")


def test_whole_windows_are_offered_where_they_fit() -> None:
    assert "in last 30d" in texts("did order |")
    assert "last 30d" in texts("did order in |")
    assert "in next 7d" not in texts("did order |")  # T1
    assert "in next 7d" in texts("signup_at |")
    assert "in next 7d" not in texts("renewal |")  # T13
    assert "in next 7 calendar days" in texts("renewal |")
    assert "in next 7 calendar days" in texts("renewal not |")
    assert "in last 30d" not in texts("city |")


def test_units_and_examples_agree_with_the_number() -> None:
    assert "months" in texts("did order in last 3 calendar |")
    assert "month" in texts("did order in last 1 calendar |")
    assert texts("did order in last 45|") == ["45", "45d", "45h", "45min", "45w"]


def test_an_example_that_would_join_the_word_before_is_not_offered() -> None:
    assert "10%" in texts("points > 2000 - |")
    assert "10%" not in texts("points > 2000-|")  # it would be the month 2000-10


def test_every_window_parses() -> None:
    for window in _WINDOWS:
        is_future = "next" in window
        parse_condition(f"signup_at {window}" if is_future else f"did order {window}")


def test_signs_are_offered_only_before_a_word_begins() -> None:
    assert {"=", ">=", "("} <= {*texts("points |"), *texts("|")}
    assert not {item.kind for item in at_bar("points i|").items} & {"sign"}


def test_booleans_are_offered_beside_a_boolean() -> None:
    assert texts("subscribed = |")[:2] == ["true", "false"]


def test_a_candidate_without_names_is_found_by_its_text() -> None:
    item = Completion("text", "label", "keyword")
    assert make_candidate(item, 1).names == ("text",)
    assert make_candidate(item, 1, "a", "b").names == ("a", "b")
    assert make_candidate(item, 1).make_item() == item
