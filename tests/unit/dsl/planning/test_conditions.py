"""Logic, tests of values, ranks and samples."""

from quanyu.dsl import compile_segment
from quanyu.dsl.planning.serializer import to_json
from tests.unit.dsl.planning.compiled import attribute, cond, happened, text
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, bind


def test_u7_including_unknown_applies_after_not() -> None:
    inner = {"op": "in", "expr": attribute("city"), "items": [text("x")]}
    assert cond("city not in ['x'] including unknown") == {"op": "or_unknown", "of": {"op": "not", "of": inner}}


def test_u8_did_not_negates_did() -> None:
    assert cond("did not order") == {"op": "not", "of": happened("order")}


def test_c7_texts_are_normalized_and_patterns_are_kept() -> None:
    assert cond("city contains 'ａ'")["value"] == "a"
    assert cond("city matches 'ａ'")["value"] == "ａ"
    assert cond("city = 'ａ'")["right"] == text("a")


def test_r2_r7_a_rank_has_a_percent_or_a_count() -> None:
    assert (cond("points in top 0.5%")["percent"], cond("points in top 0.5%")["count"]) == ("0.005", None)
    assert (cond("points in bottom 7")["percent"], cond("points in bottom 7")["count"]) == (None, 7)
    assert cond("points in bottom 7")["side"] == "bottom"


def test_s1_s2_a_sample_has_a_seed_and_a_bound_of_hashes() -> None:
    assert cond("sample 10% seed 'spring'") == {"op": "sample", "seed": "spring", "below": "1844674407370955162"}
    assert cond("sample 100% seed 'x'")["below"] == str(2**64)
    assert cond("sample 0% seed 'x'")["below"] == "0"
    library = LIBRARY.publish(bind("segment half@2: sample 50% segment s: in segment half and sample 50%"))
    parts = to_json(compile_segment("s", 1, library, CATALOG, CLOCK).roots[0].cond)["of"]
    assert [parts[0]["of"]["seed"], parts[1]["seed"]] == ["half", "s"]
