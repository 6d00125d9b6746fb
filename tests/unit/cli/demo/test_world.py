from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from quanyu.cli.demo import catering, complete_journey
from quanyu.cli.demo.world import World
from quanyu.dsl import Library, check_and_bind
from quanyu.tagging.evaluation.catalog import catalog_of

PEOPLE = 3_000
CHANNELS = {complete_journey.NAME: ("store",), catering.NAME: ("pos", "miniapp", "delivery", "web")}


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, World]:
    folder = tmp_path_factory.mktemp("worlds")
    made = [complete_journey.prepare(folder / "journey"), catering.prepare(folder / "catering", PEOPLE)]
    return {world.name: world for world in made}


@pytest.mark.parametrize("name", CHANNELS)
def test_every_column_of_a_mapping_is_in_its_file_and_every_name_declared(name: str, worlds: dict[str, World]) -> None:
    schema = worlds[name].schema
    attributes = {c.name: {f.name for f in c.attributes} for c in schema.catalogs}
    properties = {p.name for t in schema.event_types for p in t.properties}
    for source in worlds[name].sources:
        assert set(source.mapping.columns()) <= set(pq.read_schema(source.path).names)
        contents = source.mapping.contents
        if source.mapping.records == "item":
            assert set(contents["attributes"]) == attributes[contents["catalog"]]
        assert set(contents.get("properties", ())) <= properties


@pytest.mark.parametrize("name", CHANNELS)
def test_the_rules_are_right_and_name_what_the_demo_shows(name: str, worlds: dict[str, World]) -> None:
    world = worlds[name]
    bound = check_and_bind(world.rules, catalog_of(world.schema, CHANNELS[name]), Library())
    segments = {statement.ref.name for statement in bound.statements if type(statement).__name__ == "Segment"}
    shown = {
        world.recall.segment,
        world.explained,
        *(n for first, second, _ in world.compared for n in (first, second)),
    }
    assert shown <= segments
    assert len(segments) >= 10


def test_the_same_number_of_people_makes_the_same_files(worlds: dict[str, World], tmp_path: Path) -> None:
    again = catering.prepare(tmp_path, PEOPLE)
    for old, new in zip(worlds["catering"].sources, again.sources, strict=True):
        assert hashlib.sha256(old.path.read_bytes()).digest() == hashlib.sha256(new.path.read_bytes()).digest()


def test_one_customer_is_a_world_too(tmp_path: Path) -> None:
    assert catering.prepare(tmp_path, 1).sources


def test_events_of_the_made_world_lie_in_the_half_year_before_as_of(worlds: dict[str, World]) -> None:
    begin = catering.AS_OF - timedelta(days=180)
    for source in worlds["catering"].sources:
        if source.mapping.records == "event":
            times = pq.read_table(source.path)["happened_at"].to_pylist()
            assert begin <= min(times) <= max(times) < catering.AS_OF
            assert times == sorted(times)


def test_identifiers_of_the_made_world_overlap_as_in_life(worlds: dict[str, World]) -> None:
    """No two people share a key, nobody has two in a namespace, and some are known in several places."""
    folder = worlds["catering"].sources[0].path.parent
    users, members = (duckdb.read_parquet(f"{folder}/{name}.parquet") for name in ("users", "members"))
    counts = "count(*), count(distinct unionid), count(distinct phone), count(phone), count(distinct card), count(card)"
    ((all_users, unionids, phones, with_phone, cards, with_card),) = users.aggregate(counts).fetchall()
    counts = "count(*), count(distinct card), count(distinct phone), count(phone)"
    ((all_members, own, member_phones, members_with_phone),) = members.aggregate(counts).fetchall()
    assert (all_users, phones, cards) == (unionids, with_phone, with_card)
    assert (all_members, member_phones) == (own, members_with_phone)
    assert 0 < with_card < all_users
    assert 0 < with_phone < all_users
    shared = f"select phone from '{folder}/users.parquet' intersect select phone from '{folder}/members.parquet'"
    assert len(duckdb.sql(shared).fetchall()) > PEOPLE / 50


def test_the_real_world_is_whole(worlds: dict[str, World]) -> None:
    rows = {source.path.stem: pq.read_metadata(source.path).num_rows for source in worlds["complete_journey"].sources}
    assert rows == {
        "products": 92_331,
        "stores": 457,
        "campaign_descriptions": 27,
        "coupons": 981,
        "demographics": 801,
        "transactions": 1_469_307,
        "received": 6_589,
        "coupon_redemptions": 2_102,
    }
