"""Tests of the A, C, R, S and P points: aggregates, comparisons, ranks, samples, places."""

import math

import pytest
import xxhash

from quanyu.dsl import RuleError
from tests.semantics.world import ago, at, did, has


def amounts(*values, kind="order", name="amount"):
    return [did(kind, ago("1d", i), **({} if value is None else {name: value})) for i, value in enumerate(values)]


def test_a1_events_whose_value_is_unknown_take_no_part(world):
    w = world(a=amounts(5, None, 7))
    for true in ("count(order.amount) = 2", "count(order) = 3", "avg(order.amount) = 6", "min(order.amount) = 5"):
        assert w.holds(true) == {"a"}, true


def test_a2_a_filter_that_no_event_matches_gives_the_result_of_no_events(world):
    w = world(a=amounts(5))
    assert w.says("sum(order.amount where (quantity > 3)) = 0") == {"a": True}
    assert w.says("avg(order.amount where (quantity > 3)) = 0") == {"a": None}


def test_a3_a_sum_of_unknown_amounts_only_is_0(world):
    assert world(a=amounts(None, None)).says("sum(order.amount) = 0") == {"a": True}


def test_a4_aggregates_of_values_need_a_property_and_the_others_do_not(world):
    w = world(a=[did("order", "2026-11-01 08:00"), did("order", "2026-11-03 09:00", amount=5)])
    for fn in ("sum", "avg", "min", "max", "median", "distinct", "most"):
        with pytest.raises(RuleError, match="A4"):
            w.compiled(f"{fn}(order) = 1")
    assert w.holds("earliest(order) = 2026-11-01 and latest(order) = 2026-11-03") == {"a"}
    assert w.holds("days(order) = 2 and days(order.amount) = 1") == {"a"}


def test_a5_the_median_of_an_even_number_of_values_is_the_exact_mean_of_the_middle_two(world):
    w = world(even=amounts(1, 9, 2, 4), odd=amounts(9, 1, 4), fine=amounts("0.000001", "0.000002"))
    assert w.holds("median(order.amount) = 3") == {"even"}
    assert w.holds("median(order.amount) = 4") == {"odd"}
    assert w.holds("median(order.amount) > 0.000001 and median(order.amount) < 0.000002") == {"fine"}


def test_a6_most_is_the_value_seen_last_among_equally_frequent_ones(world):
    w = world(a=amounts("x", "y", "y", "x", name="note"), b=amounts("x", "x", "y", name="note"))
    assert w.holds("most(order.note) = 'x'") == {"a", "b"}
    c = world(c=amounts("x", "y", name="note"))
    assert c.holds("most(order.note) = 'y'") == {"c"}


def test_a7_sums_and_ratios_are_exact_and_input_has_six_digits_after_the_point(world):
    w = world(cents=amounts("60.004"), sixty=amounts(60), tenths=amounts(*["0.1"] * 10), thirds=amounts(1, 1, 2))
    assert w.holds("avg(order.amount) > 60") == {"cents"}
    assert w.holds("sum(order.amount) = 1") == {"tenths"}
    assert w.holds("avg(order.amount) * 3 = 4") == {"thirds"}
    assert w.holds("1 / 3 > 33.3%") == set(w.says("1 = 1"))
    assert w.holds("1 / 3 > 0.333333 and 1 / 3 < 0.333334") == set(w.says("1 = 1"))
    big = world(a=[has(points="9000000000000")], half=[has(points="0.0000005")], up=[has(points="0.0000015")])
    assert big.holds("points = 9000000000000") == {"a"}
    assert big.holds("points = 0") == {"half"}
    assert big.holds("points = 0.000002") == {"up"}
    assert big.refused(a=[has(points="9000000000001")])


def test_a8_days_counts_local_days_with_the_day_start(world):
    facts = [did("order", "2026-11-01 03:59"), did("order", "2026-11-01 04:00"), did("order", "2026-11-02 03:00")]
    assert world(a=facts).holds("days(order) = 2") == {"a"}
    assert world(a=facts, settings={"day_start_minutes": 240}).holds("days(order) = 2") == {"a"}
    assert world(a=facts[1:], settings={"day_start_minutes": 240}).holds("days(order) = 1") == {"a"}
    assert world(a=facts[1:]).holds("days(order) = 2") == {"a"}


def test_a9_aggregates_refuse_types_without_a_meaning_for_them(world):
    w = world(a=[did("order", ago("1d"), due="2026-12-01"), did("order", ago("2d"), due="2026-10-01")])
    assert w.holds("max(order.due) = 2026-12-01 and min(order.due) = 2026-10-01") == {"a"}
    for wrong in ("sum(order.note) > 1", "max(order.gift) = true", "max(order.note) = 'x'", "avg(order.due) > 1"):
        with pytest.raises(RuleError, match="A9"):
            w.compiled(wrong)


def test_a10_a_property_of_a_definition_is_declared_by_each_of_its_event_types(world):
    w = world(rules="define d = order or refund define e = order or scan", a=amounts(5), b=amounts(7, kind="refund"))
    assert w.holds("sum(d.amount) > 0") == {"a", "b"}
    with pytest.raises(RuleError, match="scan declares no property `amount`"):
        w.compiled("sum(e.amount) > 0")


def test_a11_an_aggregate_may_follow_a_reference_to_a_catalog(world):
    w = world(items={("product", "p"): {"price": 30}}, a=amounts("p", "p", "q", name="product_id"))
    assert w.holds("sum(order.product.price) = 60") == {"a"}


# Comparisons.


def test_c1_a_recency_is_the_elapsed_time_since_its_event(world):
    w = world(
        a=[did("order", ago("9d")), did("scan", ago("3d"))],
        b=[did("order", ago("3d")), did("scan", ago("9d"))],
        never=[has(points=1)],
    )
    assert w.says("last_order > 5d") == {"a": True, "b": False, "never": None}
    assert w.holds("last_order > last_scan") == {"a"}
    for wrong in ("last_order = 30d", "last_order > 2026-01-01", "first_order < 2026-01-01"):
        with pytest.raises(RuleError, match="C1"):
            w.compiled(wrong)


def test_c2_both_sides_have_one_type_and_an_order_where_the_sign_needs_one(world):
    w = world(a=[has(level="gold")], b=[has(level="bronze")])
    assert w.says("level >= silver") == {"a": True, "b": False}
    for wrong in ("points = 'x'", "nickname < 'x'", "vip > false", "tier < a"):
        with pytest.raises(RuleError):
            w.compiled(wrong)


def test_c3_a_recency_between_durations_includes_both_ends_and_between_ago_does_not(world):
    w = world(**{f"{d}{ms}": [did("order", ago(f"{d}d", ms))] for d in (7, 30) for ms in (-1, 0, 1)})
    assert w.holds("last_order between 7d and 30d") == {"7-1", "70", "300", "301"}
    assert w.holds("last_order between 7d and 30d ago") == {"7-1", "300", "301"}
    assert w.holds("last_order in last 7d") == {"70", "71"}


def test_c4_an_instant_and_a_date_compare_by_the_local_day(world):
    edges = {"before": "2026-01-30 23:59:59.999", "first": "2026-01-31 00:00", "last": "2026-01-31 23:59:59.999"}
    w = world(**{name: [has(signup_at=when)] for name, when in {**edges, "after": "2026-02-01 00:00"}.items()})
    assert w.holds("signup_at <= 2026-01-31") == {"before", "first", "last"}
    assert w.holds("signup_at = 2026-01-31") == {"first", "last"}
    assert w.holds("signup_at > 2026-01-31") == {"after"}
    with pytest.raises(RuleError, match="C4"):
        w.compiled("signup_at = 2026-01-31 10:00")


def test_c5_comparing_a_set_as_a_whole_is_an_error_with_offers(world):
    w = world(a=[has(tastes=["spicy", "vegan"])], b=[has(tastes=["spicy"])])
    with pytest.raises(RuleError, match="C5") as refused:
        w.compiled("tastes = 'spicy'")
    assert [w.holds(offer) for offer in refused.value.suggestions] == [{"a", "b"}] * 2
    assert w.holds("tastes has all ['spicy', 'vegan']") == {"a"}


def test_c6_between_on_numbers_includes_both_ends(world):
    w = world(**{f"p{p}": [has(points=p)] for p in (0, 1, 3, 4)})
    assert w.holds("points between 1 and 3") == {"p1", "p3"}
    assert w.holds("points not between 1 and 3") == {"p0", "p4"}


def test_c7_texts_are_compared_normalised_case_sensitive_and_untrimmed(world):
    names = {"wide": "Ａnn", "plain": "Ann", "small": "ann", "space": "Ann "}
    w = world(**{name: [has(nickname=value)] for name, value in names.items()})
    assert w.holds("nickname = 'Ann'") == w.holds("nickname = 'Ａnn'") == {"wide", "plain"}
    assert w.holds("nickname contains ''") == set(names)
    assert w.holds("nickname matches 'nn$'") == {"wide", "plain", "small"}
    assert w.holds("nickname matches '^A'") == {"wide", "plain", "space"}
    assert w.holds("nickname matches '(?i)^ANN$'") == {"wide", "plain", "small"}
    assert w.holds("nickname starts with 'A' and nickname ends with ' '") == {"space"}


def test_c8_in_is_equality_with_some_item(world):
    w = world(
        a=[has(tastes=["spicy", "sweet"], city="上海")], b=[has(tastes=["vegan"], city="北京")], c=[has(tastes=[])]
    )
    assert w.says("city in ['上海']") == {"a": True, "b": False, "c": None}
    assert w.says("tastes in ['spicy', 'vegan']") == {"a": True, "b": True, "c": False}
    assert w.says("tastes not in ['spicy']") == {"a": False, "b": True, "c": True}


def test_c9_has_of_an_unknown_set_is_unknown(world):
    w = world(a=[has(points=1)], b=[has(tastes=["spicy"])])
    assert w.says("tastes has none ['spicy']") == {"a": None, "b": False}
    assert w.says("tastes has all ['spicy']") == {"a": None, "b": True}
    with pytest.raises(RuleError, match="C9"):
        w.compiled("city has any ['上海']")


# Ranks.


def ranked(*points):
    return {f"p{n}": [has(points=value)] for n, value in enumerate(points)} | {"unknown": [has(vip=True)]}


def test_r1_people_without_a_value_are_unknown_and_not_counted(world):
    w = world(**ranked(1, 2, 3, 4))
    assert w.says("points in top 50%") == {"p0": False, "p1": False, "p2": True, "p3": True, "unknown": None}


def test_r2_in_top_keeps_ties_and_rounds_parts_of_a_person_up(world):
    w = world(**ranked(1, 2, 3, 3, 3))
    assert w.holds("points in top 20%") == {"p2", "p3", "p4"}
    assert w.holds("points in top 60%") == {"p2", "p3", "p4"}
    assert w.holds("points in top 61%") == {"p1", "p2", "p3", "p4"}


@pytest.mark.parametrize(("fn", "k"), [("quintile", 5), ("decile", 10), ("percentile", 100)])
def test_r3_tiles_are_the_rounded_up_share_at_or_below(world, fn, k):
    values = [1, 2, 2, 3, 4, 5, 6]
    w = world(**ranked(*values))
    for n, value in enumerate(values):
        tile = math.ceil(k * sum(other <= value for other in values) / len(values))
        assert w.says(f"{fn}(points) = {tile}")[f"p{n}"] is True
    assert w.holds("quintile(points) = 5") == w.holds("points in top 20%")
    assert world(**ranked(9)).holds(f"{fn}(points) = {k}") == {"p0"}


def test_r4_outside_the_population_a_rank_is_false_and_a_tile_unknown(world):
    w = world(rules="segment s: points < 5", **ranked(1, 4, 9))
    assert w.says("points in top 50% of s") == {"p0": False, "p1": True, "p2": False, "unknown": False}
    assert w.says("not (points in top 50% of s)") == {"p0": True, "p1": False, "p2": True, "unknown": True}
    assert w.says("quintile(points among s) = 5") == {"p0": False, "p1": True, "p2": None, "unknown": None}


def test_r5_a_metric_without_among_ranks_the_universe(world):
    rules = "metric q = quintile(points) segment low: points < 5 segment s among low: q = 5"
    w = world(rules=rules, **ranked(1, 4, 9))
    assert w.holds("q = 5") == {"p2"}
    assert w.holds("s") == set()


def test_r6_a_rank_without_of_compares_the_rules_own_among(world):
    w = world(rules="segment low: points < 5 segment s among low: points in top 1", **ranked(1, 4, 9))
    assert w.holds("s") == {"p1"}
    assert w.holds("points in top 1 and points < 5") == set()


def test_r7_top_n_keeps_ties_and_needs_a_whole_number(world):
    w = world(**ranked(1, 2, 2, 3))
    assert w.holds("points in top 2") == {"p1", "p2", "p3"}
    assert w.holds("points in top 0") == set()
    with pytest.raises(RuleError):
        w.compiled("points in top 1.5")


def test_r8_bottom_mirrors_top(world):
    w = world(**ranked(1, 1, 2, 3, 4))
    assert w.holds("points in bottom 20%") == {"p0", "p1"}
    assert w.holds("points in bottom 3") == {"p0", "p1", "p2"}
    assert w.holds("quintile(points) = 1") == set()


def test_r9_ranking_a_recency_is_an_error(world):
    w = world(a=[did("order", ago("9d"))], b=[did("order", ago("3d"))])
    for wrong in ("last_order in top 10%", "quintile(last_order) = 5"):
        with pytest.raises(RuleError, match="R9"):
            w.compiled(wrong)
    assert w.holds("latest(order) in top 1") == {"b"}
    assert w.holds("latest(order) in bottom 1") == {"a"}


def test_r10_percentile_is_1_to_100_and_100_is_the_highest(world):
    w = world(**ranked(*range(3)))
    assert w.holds("percentile(points) = 100") == {"p2"}
    assert w.holds("percentile(points) between 1 and 100") == {"p0", "p1", "p2"}


# Samples.


def hashes(w, seed):
    names = [name for name, verdict in w.says("1 = 1").items() if verdict]
    return {n: xxhash.xxh3_64_intdigest(seed.encode() + b"\0" + w.oneid(n).to_bytes(8, "little")) for n in names}


def people(number):
    return {f"n{n}": [has(points=n)] for n in range(number)}


def test_s1_a_sample_holds_people_whose_hash_lies_below_its_share(world):
    w = world(**people(60))
    for percent in ("0", "12.5", "50", "99.9", "100"):
        below = float(percent) / 100 * 2**64
        expected = {name for name, value in hashes(w, "spring").items() if value < below}
        assert w.holds(f"sample {percent}% seed 'spring'") == expected


def test_s2_without_a_seed_the_name_of_the_rule_is_the_seed(world):
    w = world(rules="segment lucky@7: sample 50%", **people(40))
    assert w.holds("lucky") == {name for name, value in hashes(w, "lucky").items() if value < 2**63}
    with pytest.raises(RuleError, match="S2"):
        w.compiled("sample 50%")


def test_s3_a_smaller_sample_of_the_same_seed_lies_inside_a_larger_one(world):
    w = world(**people(60))
    assert w.holds("sample 20% seed 'a'") <= w.holds("sample 50% seed 'a'")
    assert w.holds("sample 50% seed 'a'") != w.holds("sample 50% seed 'b'")


def test_s4_after_a_merge_the_surviving_oneid_decides(world):
    w = world(a=[did("order", ago("1d"))], b=[did("scan", ago("1d")), has(phone="13812340009")])
    apart = {w.oneid("a"), w.oneid("b")}
    w.add(a=[has(phone="13812340009")])
    survivor = w.oneid("a")
    assert survivor in apart
    lucky = xxhash.xxh3_64_intdigest(b"x\0" + survivor.to_bytes(8, "little")) < 2**63
    assert w.says("sample 50% seed 'x'") == {"a": lucky, "b": lucky}


# Places.


def haversine(a, b):
    (lat_a, lon_a), (lat_b, lon_b) = (tuple(map(math.radians, point)) for point in (a, b))
    h = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * 6_371_008.8 * math.asin(min(1, math.sqrt(h)))


def test_p1_within_includes_its_distance_and_is_unknown_without_a_point(world):
    w = world(here=[has(home=(31.2304, 121.4737))], nowhere=[has(points=1)], far=[has(home=(39.9, 116.4))])
    assert w.says("home within 3km of (31.2304, 121.4737)") == {"here": True, "nowhere": None, "far": False}
    assert w.holds("home within 0m of (31.2304, 121.4737)") == {"here"}


@pytest.mark.parametrize("other", [(31.25, 121.48), (-31.2, -58.5), (39.9042, 116.4074)])
def test_p2_distance_is_haversine_on_the_mean_sphere(world, other):
    metres = haversine((31.2304, 121.4737), other)
    w = world(a=[has(home=other)])
    assert w.holds(f"home within {math.ceil(metres)}m of (31.2304, 121.4737)") == {"a"}
    assert w.holds(f"home within {math.floor(metres)}m of (31.2304, 121.4737)") == set()


def test_p3_points_are_latitude_then_longitude(world):
    w = world(a=[has(home=(31.2, 121.4))])
    assert w.holds("home within 1m of (31.2, 121.4)") == {"a"}
    with pytest.raises(RuleError, match="latitude, longitude"):
        w.compiled("home within 1m of (121.4, 31.2)")
    assert w.refused(b=[has(home=(121.4, 31.2))])


def test_p1_within_works_on_the_place_of_an_event(world):
    items = {("store", "near"): {"location": (31.23, 121.47)}, ("store", "far"): {"location": (39.9, 116.4)}}
    w = world(items=items, a=amounts("near", name="store_id"), b=amounts("far", name="store_id"))
    assert w.holds("did order where (store.location within 5km of (31.2304, 121.4737))") == {"a"}


def test_a4_c4_latest_is_an_instant_that_compares_with_a_date_by_the_local_day(world):
    w = world(a=[did("order", at("2026-11-01 23:59:59.999"))], b=[did("order", at("2026-11-02 00:00"))])
    assert w.holds("latest(order) <= 2026-11-01") == {"a"}
