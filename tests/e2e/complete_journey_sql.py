"""Computes the members of each segment of The Complete Journey by SQL over its files, independently of the rules.

As-of is 2018-01-01 00:00 in New York, 05:00 UTC. Times of purchases are UTC instants; days of campaigns and redemptions
begin at midnight in New York.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

_VIEWS = """
create table purchase as
  select household_id as person, product_id, sales_value::decimal(18, 6) as sales_value,
         transaction_timestamp as moment,
         cast(timezone('America/New_York', timezone('UTC', transaction_timestamp)) as date) as day
  from '{data}/transactions.parquet' where transaction_timestamp < timestamp '2018-01-01 05:00';
create view product as select * from '{data}/products.parquet';
create table receive as
  select household_id as person, timezone('UTC', timezone('America/New_York', start_date)) as moment
  from '{data}/campaigns.parquet' join '{data}/campaign_descriptions.parquet' using (campaign_id);
create table redeem as
  select household_id as person, timezone('UTC', timezone('America/New_York', redemption_date)) as moment
  from '{data}/coupon_redemptions.parquet';
create view demographics as select household_id as person, * from '{data}/demographics.parquet';
create table universe as
  select person from purchase union select person from receive union select person from redeem
  union select person from demographics;
create macro days_ago(n) as timestamp '2018-01-01 05:00' - to_hours(24 * n);
create table bought as
  select person,
         coalesce(sum(sales_value) filter (where moment >= timestamp '2017-01-01 05:00'), 0) as spend_2017,
         coalesce(sum(sales_value) filter (where moment >= days_ago(90)), 0) as spend_90d,
         coalesce(sum(sales_value) filter (where moment >= days_ago(90) and brand = 'Private'), 0) as private_90d,
         count(*) filter (where moment >= days_ago(30)) as lines_30d,
         count(*) filter (where moment >= timestamp '2017-12-01 05:00') as lines_december,
         count(distinct day) filter (where moment >= days_ago(90)) as days_90d,
         count(distinct day) filter (where moment >= days_ago(90) and moment < days_ago(30)) as days_before,
         count(distinct day) filter (where moment >= days_ago(30)) as days_30d,
         count(moment) as lines,
         count(*) filter (where product_category = 'COFFEE' and moment >= days_ago(240) and moment < days_ago(60))
           as coffee_before,
         count(*) filter (where product_category = 'COFFEE' and moment >= days_ago(60)) as coffee_lately,
         min(moment) filter (where product_category in ('BABY FOODS', 'DIAPERS & DISPOSABLES')) as first_baby
  from universe left join purchase using (person) left join product using (product_id)
  group by person;
create table tile as
  select person,
         ceil(5.0 * (select count(*) from bought b where b.spend_2017 <= a.spend_2017)
           / (select count(*) from bought)) as q
  from bought a;
"""

SEGMENTS = {
    "lapsed_30d": "select person from bought where lines > 0 and lines_30d = 0",
    "lapsed_calendar_month": "select person from bought where lines > 0 and lines_december = 0",
    "frequency: heavy": "select person from bought where days_90d >= 26",
    "frequency: medium": "select person from bought where days_90d between 12 and 25",
    "frequency: light": "select person from bought where days_90d between 1 and 11",
    "frequency: none": "select person from bought where days_90d = 0",
    "value_tier: gold": "select person from tile where q = 5",
    "value_tier: silver": "select person from tile where q in (3, 4)",
    "value_tier: bronze": "select person from tile where q in (1, 2)",
    "high_value": """
        select person from bought a
        where (select count(*) from bought b where b.spend_2017 > a.spend_2017)
          < 0.1 * (select count(*) from bought)""",
    "private_label_lovers": "select person from bought where spend_90d >= 100 and private_90d * 10 > spend_90d * 4",
    "coupon_responders": """
        select person from universe
        where (select count(*) from receive r where r.person = universe.person and r.moment >= days_ago(180)) >= 1
          and (select count(*) from redeem r where r.person = universe.person and r.moment >= days_ago(180)) >= 2""",
    "at_risk": "select person from bought where days_before >= 6 and days_30d <= 1",
    "coffee_recall": "select person from bought where coffee_before >= 3 and coffee_lately = 0 and lines_30d > 0",
    "new_parents": "select person from bought where first_baby >= days_ago(90)",
    "affluent_families": """
        select person from demographics
        where income in ('75-99K', '100-124K', '125-149K', '150-174K', '175-199K', '200-249K', '250K+')
          and kids_count <> '0'""",
    "perhaps_renters": """
        select person from universe left join demographics using (person)
        where home_ownership is null or home_ownership not in ('Homeowner', 'Probable Homeowner')""",
    "coupon_recall": "select person from bought where lines > 0 and lines_30d = 0 and spend_2017 >= 300",
}


def members(published: Path) -> dict[str, set[str]]:
    """Returns the card numbers of the members of each segment and `tag: tier`; `universe` has all people."""
    with duckdb.connect() as connection:
        connection.execute(_VIEWS.format(data=published))
        queries = SEGMENTS | {"universe": "select person from universe"}
        return {name: {str(person) for (person,) in connection.sql(sql).fetchall()} for name, sql in queries.items()}


def events(published: Path) -> int:
    with duckdb.connect() as connection:
        names = ("transactions", "campaigns", "coupon_redemptions")
        counts = (connection.sql(f"select count(*) from '{published / name}.parquet'").fetchall() for name in names)
        return sum(int(rows[0][0]) for rows in counts)
