"""Names at a cursor: events, properties, values of people, segments and versions."""

from quanyu.dsl import Catalog, Field, Library, complete
from tests.unit.dsl.completion.at_bar import at_bar, first, labels, texts


def test_events_and_definitions_follow_did() -> None:
    names = ["order", "scan", "refund", "sale_us", "imported", "coffee", "touch"]
    assert first("did |", 7) == names
    assert first("did not |", 7) == names
    assert [w for w in labels("did (order then |") if w in names] == names
    assert [w for w in labels("define x = order or |") if w in names] == names
    assert labels("sum(|") == names
    assert labels("did to|") == ["touch"]


def test_a_where_offers_the_properties_of_its_event() -> None:
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


def test_by_offers_the_properties_that_all_steps_have() -> None:
    assert labels("did order ever and did (scan then scan) by |") == ["shop", "code", "store", "channel"]
    assert labels("did (order then scan) by |") == ["store", "channel"]
    assert labels("did (order then scan) by store.|") == ["city", "location"]


def test_names_of_the_person_follow_a_closed_where() -> None:
    assert "city" in texts("did order where (amount > 3) ever and |")


def test_segments_follow_their_keywords() -> None:
    for text in ("in segment |", "was in segment |", "segment x among |", "points in top 10% of |", "left segment |"):
        assert labels(text)[:2] == ["buyers", "vip"]


def test_channels_and_recencies_are_offered() -> None:
    found = [item for item in at_bar("channel in [|").items if item.kind == "channel"]
    assert [item.text for item in found] == ["'pos'", "'miniapp'", "'delivery'"]
    assert {"last_touch", "last_order", "last_seen"} <= set(labels("last_|"))


def test_versions_follow_an_at_sign() -> None:
    assert texts("did touch@|") == ["@2", "@1"]
    assert texts("last_touch@|") == ["@2", "@1"]
    assert texts("churn_risk@|") == ["@3", "@4"]


def test_names_that_need_backquotes_get_them() -> None:
    catalog = Catalog(attributes={"in store": Field("in store", "number")})
    assert [item.text for item in complete("in", 2, catalog, Library()).items if item.kind == "attribute"] == [
        "`in store`"
    ]
