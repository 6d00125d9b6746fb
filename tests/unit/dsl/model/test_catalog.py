"""The catalog: names, aliases and versions of scores."""

from quanyu.dsl.model.catalog import Catalog, EventType, Field, ItemCatalog, chinese_alias

STORE = ItemCatalog("store", {}, ("门店",))
CATALOG = Catalog(
    {"order": EventType("order", aliases=("下单",)), "imported": EventType("imported", counts_as_seen=False)},
    {name: Field(name, "number") for name in ("risk@2", "risk@10", "points")},
    {"store": STORE},
)


def test_canonical_resolves_aliases_and_keeps_other_names() -> None:
    assert [CATALOG.canonical(name) for name in ("下单", "渠道", "order", "nothing")] == [
        "order",
        "channel",
        "order",
        "nothing",
    ]


def test_a_score_without_a_version_is_the_newest_by_number() -> None:
    assert CATALOG.find_attribute("risk", None) == CATALOG.attributes["risk@10"]
    assert CATALOG.find_attribute("risk", 2) == CATALOG.attributes["risk@2"]
    assert CATALOG.find_attribute("risk", 3) is None
    assert CATALOG.find_attribute("points", None) == CATALOG.attributes["points"]


def test_a_property_is_found_by_name_alias_or_its_only_reference() -> None:
    sender = Field("from_store", "text", reference="store")
    receiver = Field("to_store", "text", reference="store")
    note = Field("note", "text", aliases=("备注",))
    assert CATALOG.find_property({"from_store": sender}, "store") == sender
    assert CATALOG.find_property({"from_store": sender}, "门店") == sender
    assert CATALOG.find_property({"from_store": sender, "to_store": receiver}, "store") is None
    assert CATALOG.find_property({"note": note}, "备注") == note


def test_events_that_do_not_count_as_seen_are_left_out() -> None:
    assert CATALOG.seen_event_types() == ["order"]


def test_chinese_alias_is_the_first_that_needs_no_backquotes() -> None:
    assert chinese_alias(Field("x", "number", aliases=("ex", "数 量", "数量"))) == "数量"
    assert chinese_alias(Field("x", "number", aliases=("ex",))) == ""
