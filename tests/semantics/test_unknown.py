"""Tests of the U points: what is unknown, and how conditions treat it."""

from tests.semantics.world import ago, did, has


def test_u0_only_people_for_whom_it_is_true_are_in_and_did_is_never_unknown(world):
    w = world(a=[has(city="上海")], b=[has(city="北京")], c=[has(points=1)])
    assert w.says("city = '上海'") == {"a": True, "b": False, "c": None}
    assert w.holds("city = '上海'") == {"a"}
    assert w.says("did order") == {"a": False, "b": False, "c": False}


def test_u1_and_or_and_not_follow_three_valued_logic(world):
    w = world(t=[has(vip=True)], f=[has(vip=False)], u=[has(points=1)])
    true, false = "5 > 3", "3 > 5"
    assert w.says(f"vip = true and {true}") == {"t": True, "f": False, "u": None}
    assert w.says(f"vip = true and {false}") == {"t": False, "f": False, "u": False}
    assert w.says(f"vip = true or {true}") == {"t": True, "f": True, "u": True}
    assert w.says(f"vip = true or {false}") == {"t": True, "f": False, "u": None}
    assert w.says("not (vip = true)") == {"t": False, "f": True, "u": None}


def test_u2_a_comparison_with_an_unknown_value_is_unknown(world):
    w = world(a=[has(points=1)], b=[has(city="上海")])
    assert w.says("points = 1") == {"a": True, "b": None}
    assert w.says("points != 1") == {"a": False, "b": None}
    assert w.says("points = other") == {"a": None, "b": None}
    assert w.says("points is known") == {"a": True, "b": False}
    assert w.says("points is unknown") == {"a": False, "b": True}


def test_u3_a_list_with_an_unknown_item_is_true_or_unknown(world):
    w = world(a=[has(points=1)], b=[has(points=2)], c=[has(points=2, other=2)])
    assert w.says("points in [other, 1]") == {"a": True, "b": None, "c": True}
    assert w.says("points not in [other, 1]") == {"a": False, "b": None, "c": False}
    w = world(a=[has(tastes=["spicy"])], b=[has(tastes=["vegan"])])
    assert w.says("tastes has any ['spicy', nickname]") == {"a": True, "b": None}


def test_u4_membership_of_a_segment_is_never_unknown(world):
    w = world(rules="segment s: points > 1", a=[has(points=2)], b=[has(points=1)], c=[has(city="上海")])
    assert w.says("in segment s") == {"a": True, "b": False, "c": False}
    assert w.says("not in segment s") == {"a": False, "b": True, "c": True}
    assert w.says("was in segment s 1d ago") == {"a": True, "b": False, "c": False}
    assert w.says("points in top 50% of s") == {"a": True, "b": False, "c": False}


def test_u5_the_universe_is_the_people_with_a_record_by_then(world):
    w = world(
        old=[did("scan", ago("3d"))],
        edge=[did("scan", ago("0d"))],
        new=[did("scan", ago("1d"))],
        always=[has(city="上海")],
    )
    everybody = "did not order"
    assert w.holds(everybody) == {"old", "new", "always"}
    assert w.answer(everybody).universe == 3
    assert w.holds(everybody, as_of=ago("2d")) == {"old", "always"}
    w.publish("segment s: did not order")
    assert w.holds("was in segment s 2d ago") == {"old", "always"}
    assert w.holds("entered segment s in last 2d") == {"new"}
    before = w.add(late=[did("scan", ago("9d"))])
    assert "late" in w.holds(everybody)
    assert w.answer(everybody, known_at=before).universe == 3
    w.erase("old")
    assert w.answer(everybody).universe == 3
    assert w.answer(everybody, known_at=before).universe == 2


def test_u6_an_event_whose_filter_is_unknown_does_not_count(world):
    w = world(a=[did("order", ago("1d"), amount=5)], b=[did("order", ago("1d"))], c=[did("order", ago("1d"), amount=1)])
    assert w.says("did order where (amount > 3)") == {"a": True, "b": False, "c": False}
    assert w.says("did order where (not (amount > 3))") == {"a": False, "b": False, "c": True}
    assert w.holds("did order where (amount > 3 including unknown)") == {"a", "b"}
    assert w.holds("count(order where (amount > 3)) = 0") == {"b", "c"}


def test_u7_including_unknown_after_a_bracket_is_about_the_whole_bracket(world):
    w = world(a=[has(city="上海")], b=[has(city="北京", points=9)], c=[has(points=9)], d=[has(points=1)])
    assert w.holds("city = '上海' including unknown") == {"a", "c", "d"}
    assert w.holds("(city = '上海' and points > 5) including unknown") == {"a", "c"}
    assert w.holds("city not in ['上海'] including unknown") == {"b", "c", "d"}
    assert w.holds("not (city = '上海' including unknown)") == {"b"}
    assert w.holds("(not city = '上海') including unknown") == {"b", "c", "d"}
    assert w.holds("did order including unknown") == set()


def test_u8_not_is_the_complement_within_the_rules_among(world):
    facts = {"a": [did("order", ago("1d"))], "b": [has(city="上海")], "c": [has(points=1)]}
    w = world(rules="segment local: city = '上海' segment s among local: did not order", **facts)
    assert w.holds("did not order") == {"b", "c"}
    assert w.holds("s") == {"b"}
    assert w.says("in segment s") == {"a": False, "b": True, "c": False}
    assert w.holds("not in segment s") == {"a", "c"}


def test_u9_empty_and_zero_values_are_known(world):
    w = world(a=[has(nickname="", tastes=[], survey={}, points=0, vip=False)])
    for name in ("nickname", "tastes", "survey", "points", "vip"):
        assert w.says(f"{name} is known") == {"a": True}, name
    assert w.says("nickname = ''") == {"a": True}
    assert w.says("tastes has none ['spicy']") == {"a": True}
    assert w.says("vip = false") == {"a": True}


def test_u10_aggregates_of_no_events_are_0_or_unknown(world):
    w = world(a=[has(points=0)])
    for zero in ("count(order)", "sum(order.amount)", "distinct(order.note)", "days(order)"):
        assert w.says(f"{zero} = 0") == {"a": True}, zero
    for fn in ("avg", "min", "max", "median", "earliest", "latest", "most"):
        assert w.says(f"{fn}(order.quantity) = 0") == {"a": None}, fn
    for unknown in ("1 / points", "points / points", "points + other", "other * 0"):
        assert w.says(f"{unknown} = 0") == {"a": None}, unknown


def test_u11_a_metric_is_unknown_where_its_expression_is(world):
    w = world(rules="metric m = avg(order.amount)", a=[did("order", ago("1d"), amount=5)], b=[has(points=1)])
    assert w.says("m > 1") == {"a": True, "b": None}
    assert w.says("(m default 0) > 1") == {"a": True, "b": False}
