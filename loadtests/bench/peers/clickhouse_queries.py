"""The queries in the SQL of ClickHouse."""

from loadtests.bench.world.people import CITIES, LEVELS

_IN_30D = "ts >= '2025-06-01 00:00:00' AND ts < '2025-07-01 00:00:00'"
_IN_90D = "ts >= '2025-04-02 00:00:00' AND ts < '2025-07-01 00:00:00'"
_IN_7D = "ts >= '2025-06-24 00:00:00' AND ts < '2025-07-01 00:00:00'"
_CITIES = "city IN ('city-000', 'city-001', 'city-002', 'city-003')"
# The bits of spicy and vegan.
_TASTES = "bitAnd(tastes, 9) <> 0"


def _bitmap(name: str, *values: str | int) -> str:
    """Returns an expression for the people who have one of the values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return f"(SELECT groupBitmapMergeState(people) FROM bitmaps WHERE name = '{name}' AND value IN ({listed}))"


def _all(*bitmaps: str) -> str:
    first, *others = bitmaps
    for other in others:
        first = f"bitmapAnd({first}, {other})"
    return first


_QUIET = (_bitmap("untouched_days", 30), _bitmap("channel", "pos", "miniapp"))
_FOUR_CITIES = _bitmap("city", *CITIES[:4])

# Questions that maintained bitmaps answer.
BITMAPS = {
    "quiet_kept": _all(*_QUIET),
    "five_clauses": _all(
        *_QUIET, _FOUR_CITIES, _bitmap("level", *LEVELS[1:]), _bitmap("birth_year", *range(1955, 1990))
    ),
    "full_kept": _all(*_QUIET, _FOUR_CITIES, _bitmap("active_30d", 2)),
}

WHO = {
    "quiet": """
        SELECT DISTINCT person FROM events WHERE channel IN ('pos', 'miniapp') AND person IN (
            SELECT person FROM events WHERE kind IN ('order', 'scan')
            GROUP BY person HAVING max(ts) < '2025-06-01 00:00:00'
        )
    """,
    "profile": f"""
        SELECT person FROM people
        WHERE {_CITIES} AND level >= 'silver' AND gender = 'female' AND {_TASTES} AND score >= 40
    """,
    "orders_30d": f"SELECT person FROM events WHERE kind = 'order' AND {_IN_30D} GROUP BY person HAVING count() >= 2",
    "activity_30d": f"SELECT person FROM events WHERE {_IN_30D} GROUP BY person HAVING count() >= 2",
    "delivery": f"""
        SELECT person FROM events
        WHERE kind = 'order' AND channel = 'delivery' AND {_IN_90D} AND person NOT IN (
            SELECT person FROM events WHERE kind = 'order' AND {_IN_7D}
        )
        GROUP BY person HAVING sum(amount) > 100
    """,
    "browsed_only": f"""
        SELECT person FROM events WHERE kind IN ('browse', 'order') AND {_IN_30D}
        GROUP BY person HAVING countIf(kind = 'order') = 0
    """,
    "count_ever": "SELECT person FROM events WHERE kind = 'order' GROUP BY person HAVING count() >= 10",
    "sum_ever": "SELECT person FROM events WHERE kind = 'order' GROUP BY person HAVING sum(amount) > 500",
    "first_order": """
        SELECT person FROM events WHERE kind = 'order' GROUP BY person HAVING min(ts) >= '2025-06-24 00:00:00'
    """,
    "coffee": f"""
        SELECT person FROM events
        WHERE kind = 'order' AND category = 'coffee' AND store IN (0, 1, 2) AND {_IN_90D}
        GROUP BY person HAVING count() >= 2
    """,
    "stores": f"""
        SELECT person FROM events WHERE kind = 'order' AND {_IN_90D} GROUP BY person HAVING uniqExact(store) >= 3
    """,
    # Times in milliseconds.
    "funnel": """
        SELECT person FROM events WHERE kind IN ('browse', 'order') GROUP BY person
        HAVING windowFunnel(604800000, 'strict_increase')(
            toUInt64(toUnixTimestamp64Milli(ts)), kind = 'browse', kind = 'order'
        ) = 2
    """,
    # Of n people, the ceil(n / 10) th largest total is the smallest one inside. A quantile has index floor(n * level),
    # from 0: a level just below a tenth selects that total, even if n is a multiple of ten.
    "top_spenders": """
        WITH (
            SELECT -quantileExact(0.0999999999999)(-total)
            FROM (SELECT sum(amount) AS total FROM events WHERE kind = 'order' GROUP BY person)
        ) AS least
        SELECT person FROM events WHERE kind = 'order' GROUP BY person HAVING sum(amount) >= least
    """,
    "full": f"""
        SELECT person FROM events WHERE person IN (SELECT person FROM people WHERE {_CITIES})
        GROUP BY person
        HAVING maxOrNullIf(ts, kind IN ('order', 'scan')) < '2025-06-01 00:00:00'
           AND max(channel IN ('pos', 'miniapp')) AND countIf({_IN_30D}) >= 2
    """,
    "segments": """
        SELECT number AS part, person FROM people JOIN segments ON people.city = segments.city
        WHERE people.level >= segments.level
          AND last_touch < touched_before AND bitAnd(people.channels, segments.channels) <> 0
    """,
    "changes": """
        SELECT 2 * number + was AS part, person FROM (
            SELECT number, person,
                   ifNull(last_touch < touched_before, 0) AND bitAnd(people.channels, segments.channels) <> 0 AS is_in,
                   ifNull(last_touch_before < touched_before_then, 0)
                   AND bitAnd(channels_before, segments.channels) <> 0 AS was
            FROM people JOIN segments ON people.city = segments.city WHERE people.level >= segments.level
        ) WHERE is_in <> was
    """,
    "export": "SELECT person FROM people WHERE gender = 'female'",
}
