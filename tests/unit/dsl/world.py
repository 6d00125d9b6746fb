"""The catalog, clock and library of the tests: a small shop."""

import datetime as dt

from quanyu.dsl import BoundRules, Catalog, Clock, EventType, Field, ItemCatalog, Library, check_and_bind

PRODUCT = ItemCatalog(
    "product",
    {
        "category": Field("category", "enum", values=("coffee", "tea"), aliases=("品类",)),
        "price": Field("price", "money", currency="CNY"),
    },
)
STORE = ItemCatalog("store", {"city": Field("city", "text"), "location": Field("location", "point")}, ("门店",))
_ORDER = [
    Field("amount", "money", currency="CNY", aliases=("金额",)),
    Field("quantity", "number"),
    Field("note", "text"),
    Field("city", "text"),
    Field("paid", "bool"),
    Field("due", "date"),
    Field("product_id", "text", reference="product"),
    Field("store_id", "text", reference="store"),
]
_SCAN = [Field("shop", "text", reference="store"), Field("code", "text")]
EVENTS = [
    EventType("order", {f.name: f for f in _ORDER}, aliases=("下单",)),
    EventType("scan", {f.name: f for f in _SCAN}),
    EventType("refund", {"amount": Field("amount", "money", currency="CNY")}),
    EventType("sale_us", {"amount": Field("amount", "money", currency="USD")}),
    EventType("imported", counts_as_seen=False),
]
ATTRIBUTES = [
    Field("city", "text", aliases=("城市",)),
    Field("level", "enum", values=("bronze", "silver", "gold"), ordered=True),
    Field("tier", "enum", values=("a", "b", "points")),
    Field("points", "number"),
    Field("balance", "money", currency="CNY"),
    Field("subscribed", "bool"),
    Field("signup_at", "instant"),
    Field("renewal", "date"),
    Field("birthday", "month_day"),
    Field("born", "date"),
    Field("tastes", "set", values=("spicy", "vegan")),
    Field("survey", "map"),
    Field("home", "point"),
    Field("churn_risk@3", "number"),
    Field("churn_risk@4", "number"),
]
CATALOG = Catalog(
    {e.name: e for e in EVENTS},
    {f.name: f for f in ATTRIBUTES},
    {"product": PRODUCT, "store": STORE},
    channels=("pos", "miniapp", "delivery"),
)
ZONE = "Asia/Shanghai"
NOW = int(dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC).timestamp() * 1000)
CLOCK = Clock(NOW, ZONE, earliest_ms=NOW - 400 * 86_400_000)

RULES = """
define touch@1 = order
define touch@2 = order or scan
define coffee = order where (product.category = coffee)
metric net_spend@3 = sum(order.amount in last 90d) - sum(refund.amount in last 90d)
segment buyers: did order ever
segment vip@3 among buyers: net_spend > 1000
tag frequency: 'heavy' when days(order in last 30d) >= 8; 'medium' when days(order in last 30d) >= 3; else 'light'
"""


def bind(text: str, library: Library | None = None) -> BoundRules:
    return check_and_bind(text, CATALOG, LIBRARY if library is None else library)


LIBRARY = Library().publish(check_and_bind(RULES, CATALOG, Library()))
