"""Completion: what the parser accepts at the cursor, and what of the catalog fits there."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lark.exceptions import UnexpectedInput

from quanyu.dsl import Catalog, Field, RuleError, format_rule
from quanyu.dsl import syntax as s
from quanyu.dsl.completion.completer import Completions, complete
from quanyu.dsl.keywords import KEYWORDS_BY_TERMINAL
from quanyu.dsl.parsing.lexer import tokenize
from quanyu.dsl.parsing.parser import start_interactive_parser
from tests.unit.dsl import trees
from tests.unit.dsl.parsing.test_parser_twenty_rules import RULES, TAG
from tests.unit.dsl.renamer import Renamer
from tests.unit.dsl.test_random_texts import _WORDS
from tests.unit.dsl.world import CATALOG, LIBRARY, bind

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

ALL = 100_000
_VALUES = {
    "NUMBER": {"number"}, "PERCENT": {"percent"}, "DUR": {"duration"}, "DATE": {"date"}, "DATETIME": {"date"},
    "DIST": {"distance"}, "MONTH": {"month"}, "TIME": {"time"}, "STRING": {"text", "value", "channel"},
    "VERSION": {"version"},
    "NAME": {
        "attribute", "event", "definition", "metric", "tag", "segment", "recency", "property", "built_in", "value",
        "channel", "setting", "person",
    },
}  # fmt: skip


def at_bar(marked: str, limit: int = ALL) -> Completions:
    """Of a text with a bar where the cursor is."""
    before, _, after = marked.partition("|")
    return complete(before + after, len(before), CATALOG, LIBRARY, limit)


def labels(marked: str) -> list[str]:
    return [item.label for item in at_bar(marked).items]


def texts(marked: str) -> list[str]:
    return [item.text for item in at_bar(marked).items]


def is_read_so_far(text: str) -> bool:
    """Whether some text that begins so can be right."""
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


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(rules, cursors, st.sampled_from(["", " ", ")", " and", "'", "\n# x\nsegment"]), st.sampled_from(["en", "zh"]))
def test_what_is_offered_can_be_read_there(rule: str, part: float, rest: str, language: str) -> None:
    offset = round(part * len(rule))
    text = rule[:offset] + rest
    found = complete(text, offset, CATALOG, LIBRARY, ALL)
    assert 0 <= found.start <= offset <= found.end <= len(text)
    for item in found.items:
        assert is_read_so_far(text[: found.start] + item.text), item


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
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


def kinds_of_next(rule: str, at: int, tokens: Sequence[object]) -> tuple[str, set[str], set[str]]:
    token = tokens[at]
    before = f"{rule[: tokens[at - 1].end_pos]} " if at else ""  # type: ignore[attr-defined]
    items = complete(before, len(before), CATALOG, LIBRARY, ALL).items
    return token.type, {item.kind for item in items}, {item.label for item in items}  # type: ignore[attr-defined]


def assert_next_is_offered(rule: str) -> None:
    tokens = list(tokenize(rule))
    for at, token in enumerate(tokens):
        kind, kinds, shown = kinds_of_next(rule, at, tokens)
        if kind in _VALUES:
            is_new = at and tokens[at - 1].type in ("DEFINE", "METRIC", "SEGMENT", "TAG", "GIVEN", "DOT", "VERSION")
            assert is_new or kinds & _VALUES[kind], (rule, token, kinds)
        elif not (kind == "LPAR" and at and tokens[at - 1].type in ("AGG", "TILE")):  # one word with its bracket
            written = rule[token.start_pos : token.end_pos]
            assert {written, written.removesuffix("s"), *KEYWORDS_BY_TERMINAL.get(kind, ())} & shown, (rule, token)


@pytest.mark.parametrize("rule", [*RULES, TAG])
def test_what_follows_in_the_twenty_rules_is_offered(rule: str) -> None:
    assert_next_is_offered(rule)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(trees.conditions, st.randoms(use_true_random=False))
def test_what_follows_in_a_rule_that_is_right_is_offered(cond: s.Cond, chosen: random.Random) -> None:
    rule = format_rule(Renamer(chosen).tree(cond))
    try:
        bind(rule)
    except RuleError:
        return
    assert_next_is_offered(rule)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(_WORDS), max_size=12).map(" ".join) | st.text(max_size=30), cursors)
def test_any_text_has_completions_or_none(text: str, part: float) -> None:
    offset = round(part * len(text))
    found = complete(text, offset, CATALOG, LIBRARY)
    assert found.start <= offset <= found.end
    assert len(found.items) <= 50


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(rules, cursors, st.sampled_from([")", " or or", "\nsegment x: ) (", "\ndefine touch = )", " 'open"]))
def test_what_stands_right_of_the_cursor_does_not_matter(rule: str, part: float, rest: str) -> None:
    left = rule[: round(part * len(rule))] + " "
    alone = complete(left, len(left), CATALOG, LIBRARY, ALL)
    assert complete(left + rest, len(left), CATALOG, LIBRARY, ALL).items == alone.items


# --- examples -----------------------------------------------------------------------------------


def first(marked: str, count: int) -> list[str]:
    return labels(marked)[:count]


def test_values_of_an_enum_in_their_order() -> None:
    assert first("level = |", 3) == ["bronze", "silver", "gold"]
    assert texts("level in ['bronze', s|")[0] == "'silver'"
    assert texts("level = zzz|") == []


def test_inside_quotes_the_quote_is_kept_and_not_doubled() -> None:
    found = at_bar("level = 'go|' and points > 3")
    assert [(found.start, found.end, item.text) for item in found.items] == [(8, 12, "'gold'")]
    assert texts('level in ["si|') == ['"silver"']
    assert texts("city = '|'") == []


def test_the_word_under_the_cursor_is_replaced_whole() -> None:
    found = at_bar("lev|xx = 3")
    assert (found.start, found.end, [item.text for item in found.items]) == (0, 5, ["level"])


def test_after_did_events_and_definitions() -> None:
    names = ["order", "scan", "refund", "sale_us", "imported", "coffee", "touch"]
    assert first("did |", 7) == names
    assert first("did not |", 7) == names
    assert [w for w in labels("did (order then |") if w in names] == names
    assert [w for w in labels("define x = order or |") if w in names] == names
    assert labels("sum(|") == names
    assert labels("did to|") == ["touch"]


def test_inside_where_the_properties_of_the_event() -> None:
    shown = texts("did order where (|")
    assert shown[:11] == [
        "amount", "quantity", "note", "order.city", "paid", "due", "product_id", "store_id", "product", "store",
        "channel",
    ]  # fmt: skip
    assert {"person.city", "level", "order", "person"} <= set(shown)
    assert "city" not in shown  # it could be the order's or the person's (N3)
    assert texts("did scan where (shop = 'a' and |")[:4] == ["shop", "code", "store", "channel"]
    assert labels("did order where (product.|") == ["category", "price"]
    assert labels("did order where (order.product.|") == ["category", "price"]
    assert texts("did order where (product.category = |")[:2] == ["'coffee'", "'tea'"]
    assert texts("did order where (channel in [|")[:3] == ["'pos'", "'miniapp'", "'delivery'"]
    assert texts("did order where (person.le|")[0] == "level"
    assert texts("did order where (person.ci|")[0] == "city"


def test_what_all_events_of_a_sequence_have() -> None:
    assert labels("did order ever and did (scan then scan) by |") == ["shop", "code", "store", "channel"]
    assert labels("did (order then scan) by |") == ["store", "channel"]
    assert labels("did (order then scan) by store.|") == ["city", "location"]


def test_after_a_closed_where_names_are_the_persons_again() -> None:
    assert "city" in texts("did order where (amount > 3) ever and |")


def test_segments() -> None:
    for text in ("in segment |", "was in segment |", "segment x among |", "points in top 10% of |", "left segment |"):
        assert labels(text)[:2] == ["buyers", "vip"]


def test_channels_and_recencies() -> None:
    found = [item for item in at_bar("channel in [|").items if item.kind == "channel"]
    assert [item.text for item in found] == ["'pos'", "'miniapp'", "'delivery'"]
    assert {"last_touch", "last_order", "last_seen"} <= set(labels("last_|"))


def test_only_what_fits_is_offered() -> None:
    assert labels("sum(order.|") == ["amount", "quantity", "product"]
    assert labels("sum(order.product.|") == ["price"]
    assert labels("anniversary of |") == ["renewal", "birthday", "born"]
    assert {item.label for item in at_bar("home within 3km of |").items if item.kind == "attribute"} == {"home"}
    shown = {item.label for item in at_bar("points > |").items if item.kind in ("attribute", "metric", "tag")}
    assert shown == {"points", "churn_risk"}
    assert not [item for item in at_bar("city > |").items if item.kind in ("attribute", "value", "text", "number")]
    assert "7d" in labels("last_touch > |")
    assert "1" not in labels("last_touch > |")


def test_words_of_several_parts() -> None:
    assert at_bar("did order at le|").items[0].text == "least"
    assert at_bar("did order at le|").items[0].label == "at least"
    assert labels("city is |")[:2] == ["is known", "is unknown"]
    assert texts("did order for the |")[0] == "first time"
    assert texts("city = 'x' including unk|") == ["unknown"]
    assert "unknown" in texts("city = 'x' including |")
    assert "in segment" in texts("was |")


def test_windows_whole() -> None:
    assert "in last 30d" in texts("did order |")
    assert "last 30d" in texts("did order in |")
    assert "in next 7d" not in texts("did order |")  # T1
    assert "in next 7d" in texts("signup_at |")
    assert "in next 7d" not in texts("renewal |")  # T13
    assert "in next 7 calendar days" in texts("renewal |")
    assert "in next 7 calendar days" in texts("renewal not |")
    assert "in last 30d" not in texts("city |")


def test_units_agree_with_their_number() -> None:
    assert "months" in texts("did order in last 3 calendar |")
    assert "month" in texts("did order in last 1 calendar |")
    assert texts("did order in last 45|") == ["45", "45d", "45h", "45min", "45w"]


def test_what_would_run_into_the_word_before_is_not_offered() -> None:
    assert "10%" in texts("points > 2000 - |")
    assert "10%" not in texts("points > 2000-|")  # it would be the month 2000-10


def test_chinese_keywords_and_names_by_either_name() -> None:
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


def test_versions() -> None:
    assert texts("did touch@|") == ["@2", "@1"]
    assert texts("last_touch@|") == ["@2", "@1"]
    assert texts("churn_risk@|") == ["@3", "@4"]


def test_the_text_itself_declares_names() -> None:
    assert texts("define mine = order where (amount > 5)\nsegment a: did mi|\nsegment b: )( broken") == ["mine"]
    assert "mine" in texts("segment a: did m|\ndefine mine = 下单")
    assert texts("metric half = points / 2\nsegment b: hal|") == ["half"]


def test_definitions_in_a_circle_do_no_harm() -> None:
    assert labels("define a = b\ndefine b = a\nsegment s: did a where (|")
    assert labels("metric m = n + 1\nmetric n = m + 1\nsegment s: points > |")


@pytest.mark.parametrize("left", [" + ".join(["points"] * 102), "2026-02-30", "0d", "(91.0, 0)"])
def test_what_is_wrong_on_the_other_side_does_no_harm(left: str) -> None:
    assert complete(f"{left} > ", len(left) + 3, CATALOG, LIBRARY).start == len(left) + 3


def test_tests_and_settings() -> None:
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


def test_nothing_in_a_comment_or_after_an_error() -> None:
    assert texts("city = 'x' # |") == []
    assert texts("city = ] |") == []
    assert texts("city ! |") == []
    assert texts("segment a: )\nsegment b: |") != []


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


def test_of_many_values_those_that_begin_so_then_those_that_hold_it() -> None:
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


def test_what_is_too_long_has_none() -> None:
    text = "a " * 60_000
    assert complete(text, 5, CATALOG, LIBRARY).items == ()
