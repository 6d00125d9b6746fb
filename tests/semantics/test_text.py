"""Tests of the G points: how a text is read."""

from collections import defaultdict

import pytest
from lark.grammar import Terminal

from quanyu.dsl import RuleError, format_rule, parse, parse_condition
from quanyu.dsl import syntax as s
from quanyu.dsl.parsing.parser import load_parser
from tests.semantics.world import ago, did, has


def offers_of(text):
    with pytest.raises(RuleError) as refused:
        parse_condition(text)
    return list(refused.value.suggestions)


def test_g1_words_left_out_of_the_tree_never_decide_the_meaning():
    """No two alternatives of one node keep the same children and drop different words."""
    dropped = defaultdict(set)
    for rule in load_parser().rules:
        if rule.options.expand1 and rule.alias is None and len(rule.expansion) == 1:
            continue
        kept = [of for of in rule.expansion if not (isinstance(of, Terminal) and of.filter_out)]
        words = [
            of.name for of in rule.expansion if isinstance(of, Terminal) and of.filter_out and of.name != "SEMICOLON"
        ]
        dropped[str(rule.alias or rule.origin.name), tuple(kept)].add(tuple(words))
    several = {name: words for (name, _), words in dropped.items() if len(words) > 1}
    assert set(several) == {"_and"}  # between 1 and 5, 介于 1 至 5


def test_g2_a_value_may_carry_a_minus_sign(world):
    w = world(a=[has(points=-7, home=(-31.2, -58.5))])
    assert w.holds("points < -5 and points in [-7] and points between -8 and -6") == {"a"}
    assert w.holds("home within 1m of (-31.2, -58.5)") == {"a"}
    w.publish("tag t: -1 when points < 0; else -2")
    assert w.value("t", "a") == "-1"
    with pytest.raises(RuleError):
        parse_condition("points > +5")


def test_g3_default_replaces_an_unknown_value_of_the_same_type(world):
    w = world(a=[did("order", ago("9d"))], b=[has(points=1)])
    assert w.says("(last_order default 90d) > 30d") == {"a": False, "b": True}
    assert w.says("(count(order) default 5) = 0") == {"a": False, "b": True}
    with pytest.raises(RuleError, match="G3"):
        w.compiled("(last_order default 5) > 30d")


def test_g4_not_and_including_unknown_need_brackets():
    offers = offers_of("not x = 1 including unknown")
    assert offers == ["not (x = 1 including unknown)", "(not x = 1) including unknown"]
    assert len({parse_condition(offer) for offer in offers}) == 2
    parse_condition("city not in ['上海'] including unknown")


def test_g5_and_and_or_do_not_mix_without_brackets():
    offers = offers_of("a = 1 and b = 2 or c = 3")
    assert offers == ["(a = 1 and b = 2) or c = 3", "a = 1 and (b = 2 or c = 3)"]
    assert isinstance(parse_condition(offers[0]), s.AnyOf)
    assert isinstance(parse_condition(offers[1]), s.AllOf)


def test_g6_any_white_space_separates_words():
    one = parse_condition("did order at least 3 times since 2026-01-01 10:00")
    assert one == parse_condition("did\torder at\n  least 3 # at most\n times since 2026-01-01\n10:00")
    assert format_rule(one) == "did order at least 3 times since 2026-01-01 10:00"
    assert one == parse_condition("did order at least 3 times since 2026-01-01T10:00")
    assert one == parse_condition("did\u3000order\u00a0at least 3 times\ufeff since 2026-01-01 10:00\u200b")


def test_g7_the_first_true_tier_wins_and_an_unknown_tier_is_passed_over(world):
    rules = "tag t: 'poor' when points < 3; 'vip' when vip = true; else 'rest' tag u: 'poor' when points < 3"
    w = world(rules=rules, a=[has(points=1, vip=True)], b=[has(vip=True)], c=[has(points=9)])
    assert [w.value("t", name) for name in "abc"] == ["poor", "vip", "rest"]
    assert [w.value("u", name) for name in "abc"] == ["poor", None, None]


def test_g8_singular_and_plural_units_mean_the_same():
    for unit in ("day", "week", "month", "quarter", "year"):
        for number in (1, 2):
            both = [parse_condition(f"did a in last {number} calendar {word}") for word in (unit, f"{unit}s")]
            assert both[0] == both[1]
            assert format_rule(both[0]).endswith(f"{number} calendar {unit}{'s' if number > 1 else ''}")


@pytest.mark.parametrize(
    "rule",
    [
        "did a in last 0d",
        "did a at least 1.5 times",
        "did a in last 1.5 calendar days",
        "did a on 2026-02-30",
        "x between 5 and 1",
        "did a for the first time at least 3 times",
        "did a for the first time in each of last 3 calendar weeks",
        "count(a in each of last 3 calendar weeks) > 1",
        "anniversary of b ever",
    ],
)
def test_g9_impossible_numbers_dates_and_windows_are_errors(rule):
    with pytest.raises(RuleError):
        parse_condition(rule)


def test_g10_a_reserved_word_needs_backquotes_to_be_a_name():
    for word in ("times", "calendar", "至少"):
        with pytest.raises(RuleError):
            parse_condition(f"{word} > 3")
        assert parse_condition(f"`{word}` > 3").left.ref.name == word
    assert parse_condition("x = 'last'").right == s.Text("last")


def test_g11_a_quote_mark_is_doubled_inside_its_own_quotes():
    assert parse_condition("x = 'it''s'").right == parse_condition('x = "it\'s"').right == s.Text("it's")
    assert parse_condition('x = "say ""hi"""').right == s.Text('say "hi"')
    assert parse_condition(r"x = '\n'").right == s.Text(r"\n")
    with pytest.raises(RuleError, match="do not close"):
        parse_condition("x = 'a\nb'")


@pytest.mark.parametrize(
    ("text", "offers"),
    [
        ("x > 1000-10", ["1000 - 10", "in 1000-10"]),
        ("did a in last 90m", ["90min", "3 calendar months"]),
        ("did a in last 30 days", ["30d", "30 calendar days"]),
        ("did a in last 1.5h", ["90min"]),
        ("did a in last 1h30min", ["90min"]),
        ("x > 1,000", ["1000"]),
        ("x > 1e3", ["1000"]),
    ],
)
def test_g12_a_number_or_duration_with_two_readings_is_an_error_that_offers_them(text, offers):
    assert offers_of(text) == offers


def test_g13_a_percentage_is_a_number(world):
    w = world(a=[has(points="1.6")], b=[has(points="0.5")])
    assert w.holds("points > 150%") == {"a"}
    assert w.holds("points = 50%") == {"b"}
    for rule in ("sample 101% seed 'a'", "x in top 101%"):
        with pytest.raises(RuleError, match="more than everybody"):
            parse_condition(rule)


def test_g14_chinese_keywords_are_read_as_their_english_keywords(world):
    w = world(a=[has(city="上海"), *(did("order", ago("1d", n)) for n in range(3))], b=[has(city="上海")])
    assert w.holds("城市 属于 ['上海'] 且 做过 下单 至少 3 次 在 最近 30d") == {"a"}
    assert offers_of("做过 下单 在 最近 30 天") == ["30d", "30 自然 天"]


def test_g15_default_beside_another_sign_needs_brackets():
    assert offers_of("a + b default 0 > 1") == ["(a + b) default 0", "a + (b default 0)"]
    assert offers_of("a = b default 0") == ["a = (b default 0)", "(a default 0) = b"]


def test_g16_attributes_and_recencies_take_past_and_future_windows_except_ever(world):
    w = world(
        a=[has(signup_at="2026-11-22 08:00", renewal="2026-12-24"), did("order", ago("9d"))],
        b=[has(signup_at="2026-10-22 08:00", renewal="2027-01-24"), did("order", ago("40d"))],
    )
    assert w.holds("signup_at today") == {"a"}
    assert w.holds("renewal not in next month") == {"b"}
    assert w.holds("last_order between 7d and 30d ago") == {"a"}
    assert w.holds("latest(order) in last month") == {"b"}
    with pytest.raises(RuleError):
        parse_condition("signup_at ever")


def test_g17_a_filtered_step_among_several_needs_brackets():
    with pytest.raises(RuleError, match="G17") as refused:
        parse("define a = order or scan where (code = 'x')")
    one, other = (parse(f"define a = {offer}") for offer in refused.value.suggestions)
    assert one != other


def test_g18_keywords_are_lower_case_and_names_are_compared_after_nfkc(world):
    with pytest.raises(RuleError, match="G18") as refused:
        parse_condition("a = 1 AND b = 2")
    assert refused.value.suggestions == ("and",)
    w = world(a=[has(points=3)])
    assert w.holds("ｐｏｉｎｔｓ = 3") == {"a"}
    with pytest.raises(RuleError):
        w.compiled("Points = 3")


def test_g19_entered_and_left_need_a_window_and_are_denied_by_a_general_not(world):
    for text in ("entered segment s", "left segment s", "was in segment s"):
        assert offers_of(text)
    w = world(rules="segment s: did order", a=[did("order", ago("9d"))], b=[has(points=1)])
    assert w.holds("not was in segment s 5d ago") == {"b"}
    assert offers_of("was not in segment s 5d ago") == ["not was in segment s 5d ago"]
