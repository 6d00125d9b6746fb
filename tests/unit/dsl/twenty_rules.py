"""The twenty rules of the introduction: nineteen conditions and a tag."""

RULES = [
    "last_touch > 30d and channel in [pos, miniapp]",
    "did touch ever and did not touch in last 30d",
    "did touch ever and did not touch in last 1 calendar month",
    "did order in last month and did not order in this month",
    "did order at least 3 times in last 30d",
    "did order at least 1 times in at least 3 of last 4 calendar weeks",
    "did order for the first time in last 7d",
    "avg(order.amount in last 90d) > 60",
    "count(order where (channel = delivery) in last 90d) / count(order in last 90d) > 50%",
    "net_spend in top 10% of buyers",
    "quintile(net_spend among buyers) = 5",
    "did (scan then order within 2h without refund then review within 7d) by store_id in last 90d",
    "did order between 2025-01-01 and 2025-01-31",
    "anniversary of birthday in next 7 calendar days",
    "city not in ['上海', '北京'] including unknown",
    "survey.price_sensitivity >= 4 and tastes has any ['spicy', 'vegan']",
    "home within 3km of (31.2304, 121.4737) and churn_risk@4 >= 0.8",
    "was in segment vip@3 30d ago and not in segment vip@3",
    "entered segment at_risk in last 7d and sample 10% seed 'spring'",
]
TAG = (
    "tag frequency: 'heavy' when days(order in last 30d) >= 8; 'medium' when days(order in last 30d) >= 3; else 'light'"
)
