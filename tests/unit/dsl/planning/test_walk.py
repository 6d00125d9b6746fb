"""The walk over the nodes of a plan."""

from quanyu.dsl.planning.walk import walk


def test_every_node_is_met_the_outer_before_the_inner() -> None:
    channel = {"op": "event_channel"}
    known = {"op": "known", "expr": channel}
    step = {"type": "order", "where": known}
    events = {"steps": [step], "from": None, "to": 5}
    happened = {"op": "happened", "events": events, "min": 1, "max": None}
    cond = {"op": "not", "of": happened}
    assert list(walk([cond, 7])) == [cond, happened, events, step, known, channel]
