"""Names in a tree: Chinese aliases and declared names, with the same meaning."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl import Catalog, Field, Library, RuleError, format_rule, parse, parse_condition
from quanyu.dsl import syntax as s
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.explaining.aliases import translate_names, with_drafts
from quanyu.dsl.formatting.formatter import Language
from tests.seed import examples
from tests.unit.dsl import trees
from tests.unit.dsl.renamer import Renamer
from tests.unit.dsl.world import CATALOG, LIBRARY, bind

SCOPE = Scope(CATALOG, LIBRARY)


def translate(condition: str, language: Language) -> str:
    return format_rule(translate_names(parse_condition(condition), SCOPE, language))


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("city = 'x'", "城市 = 'x'"),
        ("did order ever", "did 下单 ever"),
        ("last_order > 3d", "last_下单 > 3d"),
        ("first_seen > 3d", "首次出现 > 3d"),
        ("sum(order.amount) > 3", "sum(下单.金额) > 3"),
        ("did order where (amount > 3) ever", "did 下单 where (金额 > 3) ever"),
        ("did order where (order.amount > 3) ever", "did 下单 where (下单.金额 > 3) ever"),
        ("did order where (person.city = 'x') ever", "did 下单 where (person.城市 = 'x') ever"),
        ("did (scan then scan) by store.city ever", "did (scan then scan) by 门店.city ever"),
        ("did (scan then order) by store.city ever", "did (scan then 下单) by 门店.city ever"),
    ],
)
def test_a_name_is_translated_both_ways(english: str, chinese: str) -> None:
    assert translate(english, "zh") == chinese
    assert translate(chinese, "en") == english


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "condition",
    [
        "unknown_name = 3",
        "did unknown_event where (unknown_property > 3) ever",
        "points > 3",
        "last_touch@1 > 3d",
        "in segment vip@3",
        "points = '城市'",
    ],
)
def test_names_without_an_alias_versions_and_texts_stay(condition: str, language: Language) -> None:
    assert translate(condition, language) == condition


def test_the_names_in_a_test_stay() -> None:
    (test,) = parse("test 'a' { given anna {tier: city} when as of 2026-02-03 then anna.tier = city }").statements
    assert translate_names(test, SCOPE, "zh") == test


def test_an_alias_with_another_meaning_is_not_written() -> None:
    score = Field("risk@4", "number", aliases=("风险",))
    scope = Scope(Catalog(attributes={score.name: score}), Library())
    assert format_rule(translate_names(parse_condition("risk@4 > 3"), scope, "zh")) == "risk@4 > 3"


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@examples(50)
@given(trees.conditions, st.randoms(use_true_random=False))
def test_a_translated_tree_binds_to_the_same_condition(cond: s.Cond, chosen: random.Random) -> None:
    text = format_rule(Renamer(chosen).tree(cond))
    try:
        bound = bind(text)
    except RuleError:
        return
    assert bind(translate(text, "zh")).condition == bound.condition


def test_names_of_drafts_can_be_resolved() -> None:
    statements = parse("define mine = 下单\nsegment s: did mine where (amount > 3) ever").statements
    library = with_drafts(statements, CATALOG, LIBRARY)
    assert library.newest("mine") == library.newest("s") == 1
    assert library.newest("touch") == 2
    translated = translate_names(statements[1], Scope(CATALOG, library), "zh")
    assert format_rule(translated) == "segment s: did mine where (金额 > 3) ever"


def test_drafts_in_a_cycle_keep_their_names() -> None:
    statements = parse("define a = b\ndefine b = a\nsegment s: did a where (x > 3) ever").statements
    library = with_drafts(statements, CATALOG, Library())
    for statement in statements:
        assert translate_names(statement, Scope(CATALOG, library), "zh") == statement
