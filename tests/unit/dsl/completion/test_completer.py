"""Completions at any cursor of any rule."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark.exceptions import UnexpectedInput

from quanyu.dsl import Catalog, Field, RuleError, format_rule
from quanyu.dsl import syntax as s
from quanyu.dsl.completion.completer import complete
from quanyu.dsl.keywords import KEYWORDS_BY_TERMINAL
from quanyu.dsl.parsing.lexer import tokenize
from quanyu.dsl.parsing.parser import start_interactive_parser
from tests.seed import examples
from tests.unit.dsl import trees
from tests.unit.dsl.completion.at_bar import ALL, at_bar, first, labels, texts
from tests.unit.dsl.renamer import Renamer
from tests.unit.dsl.texts import any_texts
from tests.unit.dsl.twenty_rules import RULES, TAG
from tests.unit.dsl.world import CATALOG, LIBRARY, bind

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

_VALUES = {
    "NUMBER": {"number"}, "PERCENT": {"percent"}, "DUR": {"duration"}, "DATE": {"date"}, "DATETIME": {"date"},
    "DIST": {"distance"}, "MONTH": {"month"}, "TIME": {"time"}, "STRING": {"text", "value", "channel"},
    "VERSION": {"version"},
    "NAME": {
        "attribute", "event", "definition", "metric", "tag", "segment", "recency", "property", "built_in", "value",
        "channel", "setting", "person",
    },
}  # fmt: skip


def is_valid_prefix(text: str) -> bool:
    """Tells whether a valid text can begin like this."""
    for start in ("cond", "start"):
        parser = start_interactive_parser(start)
        try:
            for token in tokenize(text):
                parser.feed_token(token)
        except UnexpectedInput:
            continue
        return True
    return False


# --- properties ---------------------------------------------------------------------------------

cursors = st.floats(0, 1)
rules = st.one_of(
    st.tuples(trees.conditions, st.randoms(use_true_random=False)).map(lambda p: format_rule(Renamer(p[1]).tree(p[0]))),
    trees.statements.map(format_rule),
)


@examples(150)
@given(rules, cursors, st.sampled_from(["", " ", ")", " and", "'", "\n# x\nsegment"]), st.sampled_from(["en", "zh"]))
def test_the_parser_accepts_every_completion(rule: str, part: float, rest: str, language: str) -> None:
    offset = round(part * len(rule))
    text = rule[:offset] + rest
    found = complete(text, offset, CATALOG, LIBRARY, ALL)
    assert 0 <= found.start <= offset <= found.end <= len(text)
    for item in found.items:
        assert is_valid_prefix(text[: found.start] + item.text), item


@examples(150)
@given(rules, cursors)
def test_every_keyword_that_the_parser_accepts_is_offered(rule: str, part: float) -> None:
    tokens = list(tokenize(rule))
    at = round(part * len(tokens))
    before = f"{rule[: tokens[at - 1].end_pos]} " if at else ""
    is_statement = bool(tokens) and tokens[0].type in ("USE", "DEFINE", "METRIC", "SEGMENT", "TAG", "TEST")
    parser = start_interactive_parser("start" if is_statement else "cond")
    for token in tokens[:at]:
        parser.feed_token(token)
    accepted = {w for t in parser.accepts() for w in KEYWORDS_BY_TERMINAL.get(t, ()) if t != "NAME"}
    offered = complete(before, len(before), CATALOG, LIBRARY, ALL).items
    shown = {item.label for item in offered} | {item.detail for item in offered}
    assert {word for word in accepted if not {word, word + "s"} & shown} == set()


def offered_next(rule: str, at: int, tokens: Sequence[object]) -> tuple[str, set[str], set[str]]:
    token = tokens[at]
    before = f"{rule[: tokens[at - 1].end_pos]} " if at else ""  # type: ignore[attr-defined]
    items = complete(before, len(before), CATALOG, LIBRARY, ALL).items
    return token.type, {item.kind for item in items}, {item.label for item in items}  # type: ignore[attr-defined]


def assert_next_is_offered(rule: str) -> None:
    tokens = list(tokenize(rule))
    for at, token in enumerate(tokens):
        kind, kinds, shown = offered_next(rule, at, tokens)
        if kind in _VALUES:
            is_new = at and tokens[at - 1].type in ("DEFINE", "METRIC", "SEGMENT", "TAG", "GIVEN", "DOT", "VERSION")
            assert is_new or kinds & _VALUES[kind], (rule, token, kinds)
        elif not (kind == "LPAR" and at and tokens[at - 1].type in ("AGG", "TILE")):  # one word with its bracket
            written = rule[token.start_pos : token.end_pos]
            assert {written, written.removesuffix("s"), *KEYWORDS_BY_TERMINAL.get(kind, ())} & shown, (rule, token)


@pytest.mark.parametrize("rule", [*RULES, TAG])
def test_the_next_token_of_the_twenty_rules_is_offered(rule: str) -> None:
    assert_next_is_offered(rule)


@examples(100)
@given(trees.conditions, st.randoms(use_true_random=False))
def test_the_next_token_of_a_valid_rule_is_offered(cond: s.Cond, chosen: random.Random) -> None:
    rule = format_rule(Renamer(chosen).tree(cond))
    try:
        bind(rule)
    except RuleError:
        return
    assert_next_is_offered(rule)


@examples(200)
@given(any_texts, cursors)
def test_any_text_has_at_most_the_limit_of_completions(text: str, part: float) -> None:
    offset = round(part * len(text))
    found = complete(text, offset, CATALOG, LIBRARY)
    assert found.start <= offset <= found.end
    assert len(found.items) <= 50


@examples(60)
@given(rules, cursors, st.sampled_from([")", " or or", "\nsegment x: ) (", "\ndefine touch = )", " 'open"]))
def test_the_text_after_the_cursor_does_not_change_completions(rule: str, part: float, rest: str) -> None:
    left = rule[: round(part * len(rule))] + " "
    alone = complete(left, len(left), CATALOG, LIBRARY, ALL)
    assert complete(left + rest, len(left), CATALOG, LIBRARY, ALL).items == alone.items


# --- examples -----------------------------------------------------------------------------------


def test_values_of_an_enum_keep_their_order() -> None:
    assert first("level = |", 3) == ["bronze", "silver", "gold"]
    assert texts("level in ['bronze', s|")[0] == "'silver'"
    assert texts("level = zzz|") == []


def test_chinese_keywords_and_names_are_found_by_either_name() -> None:
    assert texts("没做|") == ["没做过"]
    assert texts("城|") == ["城市"]
    assert at_bar("城市 属|").items[0].text == "属于"
    assert "下单" in texts("做过 |")
    assert texts("做过 ord|")[0] == "下单"
    assert texts("points 介于 3 |")[0] == "至"
    assert texts("points 介于 3 至 points |").count("至") == 0
    assert "且" in texts("points 介于 3 至 points |")
    assert "至少" in texts("做过 下单 至|")
    assert [(item.text, item.detail) for item in at_bar("cit|").items if item.kind == "attribute"] == [
        ("city", "text · 城市")
    ]
    assert "在 最近 30d" in texts("做过 下单 |")


def test_names_declared_in_the_text_are_offered() -> None:
    assert texts("define mine = order where (amount > 5)\nsegment a: did mi|\nsegment b: )( broken") == ["mine"]
    assert "mine" in texts("segment a: did m|\ndefine mine = 下单")
    assert texts("metric half = points / 2\nsegment b: hal|") == ["half"]


def test_definitions_in_a_cycle_still_have_completions() -> None:
    assert labels("define a = b\ndefine b = a\nsegment s: did a where (|")
    assert labels("metric m = n + 1\nmetric n = m + 1\nsegment s: points > |")


def test_names_and_values_of_tests_and_settings_are_offered() -> None:
    given = "test 'x' { given anna { level: "
    assert texts(given + "|")[:3] == ["'bronze'", "'silver'", "'gold'"]
    assert labels("test 'x' { given anna { le|") == ["level"]
    assert labels("test 'x' { given anna did order at 2026-01-01 { am|") == ["amount"]
    then = given + "gold } when as of 2026-01-01 then "
    assert texts(then + "|")[0] == "anna"
    assert labels(then + "anna.|") == ["frequency", "net_spend"]
    assert texts(then + "anna.frequency = |")[:3] == ["'heavy'", "'medium'", "'light'"]
    assert texts("test 'x' { given anna { tastes: ['vegan', |")[:2] == ["'spicy'", "'vegan'"]
    assert "level" not in labels("test 'x' { given anna { level: 'gold', tastes: [|")[:2]
    assert texts("use |")[:4] == ["timezone", "day", "week", "leap"]
    assert texts("use day |")[0] == "starts"


def test_the_most_frequent_values_come_first() -> None:
    asked: list[tuple[str, list[str]]] = []

    def count_people(name: str, values: Sequence[str]) -> dict[str, int]:
        asked.append((name, list(values)))
        return {"silver": 7, "gold": 2}

    found = complete("level = ", 8, CATALOG, LIBRARY, count_people=count_people)
    assert [(item.label, item.people) for item in found.items[:3]] == [("silver", 7), ("gold", 2), ("bronze", None)]
    assert asked == [("level", ["bronze", "silver", "gold"])]
    asked.clear()
    complete("did order where (product.category = ", 36, CATALOG, LIBRARY, count_people=count_people)
    assert asked == []


def test_values_that_begin_with_the_word_come_before_those_that_contain_it() -> None:
    values = (*(f"shop {n}" for n in range(5_000)), "a shop 4", "Ｓhop 49999", "line\nbreak")
    catalog = Catalog(attributes={"place": Field("place", "enum", values=values)})
    found = complete("place = 'shop 49", 16, catalog, LIBRARY, 200)
    expected = [v for v in values if v.startswith("shop 49")] + ["Ｓhop 49999"]
    assert [item.label for item in found.items] == expected
    assert [item.label for item in complete("place = 'P 4", 12, catalog, LIBRARY, ALL).items] == [
        value for value in values if "p 4" in value.lower()
    ]
    assert complete("place = ", 8, catalog, LIBRARY, 50).more
    assert [item.label for item in complete("place = 'line", 13, catalog, LIBRARY).items] == []
