"""Computes the members of each segment of the catering world by SQL over its files, independently of the rules.

People are connected components of identifiers, without devices. As-of is 2025-06-16 00:00 in Shanghai,
16:00 UTC of the day before. No customer has two identifiers in one namespace, so no limit of the identity policy
applies.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow as pa

# The identifiers of each record, named as in the mappings: at most four, without devices.
_RECORDS = """
    select 'card:' || card as a, 'phone:' || phone as b, null as c, null as d from '{data}/members.parquet'
    union all
    select 'unionid:' || unionid, 'openid:' || openid, 'phone:' || phone, 'card:' || card from '{data}/users.parquet'
    union all
    select 'card:' || card, null, null, null from '{data}/till.parquet'
    union all
    select 'meituan:' || shop_id || ':' || customer, null, null, null from '{data}/delivery.parquet'
    union all
    select 'unionid:' || unionid, 'openid:' || openid, 'meituan:' || slip_shop || ':' || slip_customer, null
    from '{data}/miniapp.parquet'
"""
_TABLES = """
create table event as
  select person, type, timezone('UTC', happened_at) as moment, channel, shop_id, dish_id,
         amount::decimal(18, 6) as amount,
         cast(timezone('Asia/Shanghai', happened_at) as date) as day
  from (
    select 'card:' || card as identifier, type, happened_at, 'pos' as channel, shop_id, dish_id, amount
    from '{data}/till.parquet'
    union all
    select 'meituan:' || shop_id || ':' || customer, type, happened_at, 'delivery', shop_id, dish_id, amount
    from '{data}/delivery.parquet'
    union all
    select 'unionid:' || unionid, type, happened_at, channel, shop_id, dish_id, amount from '{data}/miniapp.parquet'
  ) join owner using (identifier)
  where timezone('UTC', happened_at) < timestamp '2025-06-15 16:00';
create table member as
  select person, m.* from '{data}/members.parquet' m join owner on identifier = 'card:' || card;
create macro days_ago(n) as timestamp '2025-06-15 16:00' - to_hours(24 * n);
create table did as
  select person,
         max(moment) filter (where type in ('order', 'scan', 'pickup')) as last_touch,
         max(moment) filter (where type in ('order', 'scan', 'pickup', 'browse')) as last_contact,
         coalesce(bool_or(channel in ('pos', 'miniapp')), false) as reachable,
         count(*) filter (where type = 'browse' and moment >= days_ago(30)) as browsed_30d,
         count(*) filter (where type = 'order') as orders,
         min(moment) filter (where type = 'order') as first_order,
         count(*) filter (where type = 'order' and moment >= days_ago(30)) as orders_30d,
         count(*) filter (where type = 'order' and day between '2025-05-01' and '2025-05-31') as orders_may,
         count(*) filter (where type = 'order' and moment >= days_ago(90)) as orders_90d,
         count(*) filter (where type = 'order' and channel = 'delivery' and moment >= days_ago(90)) as delivered_90d,
         count(distinct day) filter (where type = 'order' and moment >= days_ago(90)) as days_90d,
         count(*) filter (
           where type = 'order' and category = '咖啡' and town = '上海' and moment >= days_ago(90)) as coffee_90d,
         coalesce(sum(amount) filter (where type = 'order' and moment >= days_ago(90)), 0)
           - coalesce(sum(amount) filter (where type = 'refund' and moment >= days_ago(90)), 0) as net_spend
  from (select distinct person from owner) left join event using (person)
       left join '{data}/dishes.parquet' using (dish_id) left join '{data}/shops.parquet' using (shop_id)
  group by person;
"""

_QUIET = "last_touch < days_ago(30) and reachable"
SEGMENTS = {
    "quiet": f"select person from did where {_QUIET}",
    "quiet_if_browsing_counted": "select person from did where last_contact < days_ago(30) and reachable",
    "just_looking": f"select person from did where {_QUIET} and browsed_30d > 0",
    "lapsed_30d": "select person from did where orders > 0 and orders_30d = 0",
    "lapsed_calendar_month": "select person from did where orders > 0 and orders_may = 0",
    "buyers": "select person from did where orders_90d > 0",
    "high_value": """
        select person from (
          select person, rank() over (order by net_spend desc) - 1 as better, count(*) over () as buyers
          from did where orders_90d > 0) where better * 10 < buyers""",
    "frequency: heavy": "select person from did where days_90d >= 5",
    "frequency: medium": "select person from did where days_90d between 2 and 4",
    "frequency: light": "select person from did where days_90d = 1",
    "frequency: none": "select person from did where days_90d = 0",
    "delivery_lovers": "select person from did where delivered_90d * 2 > orders_90d and orders_90d >= 3",
    "shanghai_coffee": "select person from did where coffee_90d >= 2",
    "birthday_soon": """
        select person from member
        where month(birthday) = 6 and day(birthday) between 17 and 23 and birthday < date '2025-06-17'""",
    "spicy_women": "select person from member where gender = 'female' and list_contains(tastes, '辣')",
    "newcomers": "select person from did where first_order >= days_ago(7)",
    "regulars": "select person from did where orders_30d >= 3",
}


def members(files: Path) -> dict[str, set[int]]:
    """Returns the members of each segment and `tag: tier`, by component number; `universe` has all people."""
    with duckdb.connect() as connection:
        owner = _components(connection.sql(_RECORDS.format(data=files)).fetchall())
        connection.register("owner", pa.table({"identifier": list(owner), "person": list(owner.values())}))
        connection.execute(_TABLES.format(data=files))
        queries = SEGMENTS | {"universe": "select distinct person from owner"}
        return {name: {person for (person,) in connection.sql(sql).fetchall()} for name, sql in queries.items()}


def events(files: Path) -> int:
    with duckdb.connect() as connection:
        names = ("till", "delivery", "miniapp")
        counts = (connection.sql(f"select count(*) from '{files / name}.parquet'").fetchall() for name in names)
        return sum(int(rows[0][0]) for rows in counts)


def _components(records: Iterable[tuple[str | None, ...]]) -> dict[str, int]:
    """Returns the component number of each identifier."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    for record in set(records):
        first, *others = (identifier for identifier in record if identifier is not None)
        for other in others:
            parent[root(other)] = root(first)
        root(first)
    numbers: dict[str, int] = {}
    return {node: numbers.setdefault(root(node), len(numbers) + 1) for node in list(parent)}
