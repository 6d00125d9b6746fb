"""Checks the shape of a plan in docs/plan.md: every node has exactly the fields of its operator."""

from typing import Any

CONDITIONS = {
    "all": {"of"}, "any": {"of"}, "not": {"of"}, "or_unknown": {"of"}, "set": {"of", "among"}, "constant": {"value"},
    "compare": {"cmp", "left", "right"}, "in": {"expr", "items"}, "has": {"mode", "expr", "items"},
    "text": {"test", "expr", "value"}, "known": {"expr"}, "unknown": {"expr"}, "within": {"expr", "from", "to"},
    "anniversary": {"expr", "years"}, "near": {"expr", "point", "metres"}, "happened": {"events", "min", "max"},
    "at": {"as_of", "of", "among"}, "sequence": {"steps", "by", "from", "to"},
    "rank": {"expr", "side", "percent", "count", "population"}, "sample": {"seed", "below"},
}  # fmt: skip
EXPRESSIONS = {
    "literal": {"value"}, "attribute": {"name", "key"}, "channels": set(), "elapsed": {"of"},
    "aggregate": {"fn", "events", "value", "day_starts"}, "arith": {"fn", "left", "right"},
    "default": {"expr", "otherwise"}, "tile": {"k", "expr", "population"}, "case": {"tiers", "otherwise"},
    "property": {"name"}, "event_channel": set(), "by_type": {"of"},
    "lookup": {"catalog", "key", "attribute"}, "person": {"expr"},
}  # fmt: skip
OF_EVENTS = {"property", "event_channel", "by_type", "lookup", "person"}
OF_PEOPLE = {
    "attribute", "channels", "elapsed", "aggregate", "tile", "happened", "sequence", "rank", "sample", "set", "at"
}  # fmt: skip


def check_plan(plan: dict[str, Any]) -> None:
    assert set(plan) == {"as_of", "roots"}
    for root in plan["roots"]:
        assert set(root) == {"name", "cond", "among"}
        check_cond(root["cond"], plan["as_of"], False)
        assert root["among"] is None or root["among"]["op"] == "set"
        if root["among"]:
            check_cond(root["among"], plan["as_of"], False)


def check_cond(node: dict[str, Any], as_of: int, in_event: bool) -> None:
    check_fields(node, CONDITIONS, in_event)
    if node["op"] == "sequence":
        return check_sequence(node, as_of)
    if node["op"] == "at":
        assert node["as_of"] < as_of
        as_of = node["as_of"]
    parts = (
        node["of"] if node["op"] in ("all", "any") else [node[f] for f in ("of", "among", "population") if node.get(f)]
    )
    for part in parts:
        check_cond(part, as_of, in_event)
    for field in ("left", "right", "expr", "point"):
        if field in node:
            check_expr(node[field], as_of, in_event)
    for item in node.get("items", ()):
        check_expr(item, as_of, in_event)
    if "events" in node:
        check_events(node["events"], as_of)
    return None


def check_sequence(node: dict[str, Any], as_of: int) -> None:
    assert 1 <= len(node["steps"]) <= 32
    for step in node["steps"]:
        assert set(step) == {"events", "after", "within", "without"}
        assert step["events"]
        for events in (step["events"], step["without"]):
            check_events({"steps": events, "from": node["from"], "to": node["to"]}, as_of)
    assert (node["steps"][0]["after"], node["steps"][0]["within"]) == (None, None)
    if node["by"] is not None:
        check_expr(node["by"], as_of, True)


def check_expr(node: dict[str, Any], as_of: int, in_event: bool) -> None:
    check_fields(node, EXPRESSIONS, in_event)
    if node["op"] == "person":
        return check_expr(node["expr"], as_of, False)
    for field in ("left", "right", "expr", "of", "otherwise", "key"):
        if isinstance(node.get(field), dict) and node["op"] not in ("case", "by_type"):
            check_expr(node[field], as_of, in_event)
    if node["op"] == "aggregate":
        check_events(node["events"], as_of)
        assert (node["day_starts"] is not None) == (node["fn"] == "days")
        if node["value"] is not None:
            check_expr(node["value"], as_of, True)
    if node["op"] == "case":
        for tier in node["tiers"]:
            check_cond(tier["when"], as_of, in_event)
    if node["op"] == "by_type":
        assert len({value["type"] for value in node["of"]}) == len(node["of"])
        for value in node["of"]:
            check_expr(value["value"], as_of, in_event)
    if node.get("population"):
        check_cond(node["population"], as_of, False)
    return None


def check_fields(node: dict[str, Any], known: dict[str, set[str]], in_event: bool) -> None:
    assert node["op"] in known, node
    assert set(node) == known[node["op"]] | {"op"}, node
    assert node["op"] not in (OF_PEOPLE if in_event else OF_EVENTS), node


def check_events(events: dict[str, Any], as_of: int) -> None:
    assert set(events) == {"steps", "from", "to"}
    assert events["to"] <= as_of
    assert events["from"] is None or events["from"] <= events["to"]
    types = [step["type"] for step in events["steps"]]
    assert len(types) == len(set(types))
    for step in events["steps"]:
        assert set(step) == {"type", "where"}
        if step["where"] is not None:
            check_cond(step["where"], as_of, True)
