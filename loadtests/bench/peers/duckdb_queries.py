"""The queries in the SQL of DuckDB."""

_IN_30D = "ts >= '2025-06-01' AND ts < '2025-07-01'"
_IN_90D = "ts >= '2025-04-02' AND ts < '2025-07-01'"
_CITIES = "city IN ('city-000', 'city-001', 'city-002', 'city-003')"
# The bits of pos and miniapp, and of spicy and vegan.
_CHANNELS = "channels & 3 <> 0"
_TASTES = "tastes & 9 <> 0"
_SILVER = "level >= 'silver'::level"

_QUIET = """
SELECT person FROM (
    SELECT person FROM events WHERE kind IN ('order', 'scan') GROUP BY person HAVING max(ts) < '2025-06-01'
) SEMI JOIN (SELECT person FROM events WHERE channel IN ('pos', 'miniapp')) USING (person)
"""

WHO = {
    "quiet": _QUIET,
    "quiet_kept": f"SELECT person FROM people WHERE last_touch < '2025-06-01' AND {_CHANNELS}",
    "profile": f"""
        SELECT person FROM people
        WHERE {_CITIES} AND {_SILVER} AND gender = 'female' AND {_TASTES} AND score >= 40
    """,
    "five_clauses": f"""
        SELECT person FROM people
        WHERE last_touch < '2025-06-01' AND {_CHANNELS} AND {_CITIES} AND {_SILVER} AND birthday < '1990-01-01'
    """,
    "orders_30d": f"SELECT person FROM events WHERE kind = 'order' AND {_IN_30D} GROUP BY person HAVING count(*) >= 2",
    "activity_30d": f"SELECT person FROM events WHERE {_IN_30D} GROUP BY person HAVING count(*) >= 2",
    "delivery": f"""
        SELECT person FROM (
            SELECT person FROM events WHERE kind = 'order' AND channel = 'delivery' AND {_IN_90D}
            GROUP BY person HAVING sum(amount) > 100
        ) ANTI JOIN (
            SELECT person FROM events WHERE kind = 'order' AND ts >= '2025-06-24' AND ts < '2025-07-01'
        ) USING (person)
    """,
    "browsed_only": f"""
        SELECT person FROM (SELECT DISTINCT person FROM events WHERE kind = 'browse' AND {_IN_30D})
        ANTI JOIN (SELECT person FROM events WHERE kind = 'order' AND {_IN_30D}) USING (person)
    """,
    "count_ever": "SELECT person FROM events WHERE kind = 'order' GROUP BY person HAVING count(*) >= 10",
    "sum_ever": "SELECT person FROM events WHERE kind = 'order' GROUP BY person HAVING sum(amount) > 500",
    "first_order": """
        SELECT person FROM events WHERE kind = 'order' GROUP BY person HAVING min(ts) >= '2025-06-24'
    """,
    "coffee": f"""
        SELECT person FROM events
        WHERE kind = 'order' AND category = 'coffee' AND store IN (0, 1, 2) AND {_IN_90D}
        GROUP BY person HAVING count(*) >= 2
    """,
    "stores": f"""
        SELECT person FROM (SELECT DISTINCT person, store FROM events WHERE kind = 'order' AND {_IN_90D})
        GROUP BY person HAVING count(*) >= 3
    """,
    # Only the latest browse before an order matters.
    "funnel": """
        SELECT DISTINCT orders.person
        FROM (SELECT person, ts FROM events WHERE kind = 'order') AS orders
        ASOF JOIN (SELECT person, ts FROM events WHERE kind = 'browse') AS browses
        ON orders.person = browses.person AND orders.ts > browses.ts
        WHERE orders.ts - browses.ts <= INTERVAL 7 DAYS
    """,
    "top_spenders": """
        WITH spent AS MATERIALIZED (
            SELECT person, sum(amount) AS total FROM events WHERE kind = 'order' GROUP BY person
        )
        SELECT person FROM spent WHERE total >= (SELECT quantile_disc(total, 0.1 ORDER BY total DESC) FROM spent)
    """,
    "full": f"""
        SELECT person FROM (SELECT person FROM people WHERE {_CITIES}) SEMI JOIN (
            SELECT person FROM events SEMI JOIN (SELECT person FROM people WHERE {_CITIES}) USING (person)
            GROUP BY person
            HAVING max(ts) FILTER (kind IN ('order', 'scan')) < '2025-06-01'
               AND bool_or(channel IN ('pos', 'miniapp')) AND count(*) FILTER ({_IN_30D}) >= 2
        ) USING (person)
    """,
    "full_kept": f"""
        SELECT person FROM people
        WHERE last_touch < '2025-06-01' AND {_CHANNELS} AND {_CITIES} AND activity_30d >= 2
    """,
    "segments": """
        SELECT number AS part, person FROM segments JOIN people
        ON people.city = segments.city AND people.level >= segments.level
        AND last_touch < touched_before AND people.channels & segments.channels <> 0
    """,
    "changes": """
        SELECT 2 * number + was::USMALLINT AS part, person FROM (
            SELECT number, person,
                   coalesce(last_touch < touched_before AND people.channels & segments.channels <> 0, false) AS is_in,
                   coalesce(last_touch_before < touched_before_then
                            AND channels_before & segments.channels <> 0, false) AS was
            FROM segments JOIN people ON people.city = segments.city AND people.level >= segments.level
        ) WHERE is_in <> was
    """,
    "export": "SELECT person FROM people WHERE gender = 'female'",
}
