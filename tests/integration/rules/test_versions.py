"""Compares versions of rules, lists their dependents and rolls back; live segments follow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from tests.integration.follower import Follower
from tests.integration.server_process import Quanyu, reason
from tests.integration.shop import DAY, ago, lives_in, order
from tests.integration.shop_calls import declare, listed, live_members, people, publish, send
from tests.waiting import PATIENCE, wait_until

RULES = """
define visit = order
segment regulars: did visit at least 2 times
segment local among regulars: city = 'Beijing'
tag loyalty: 'high' when in segment regulars; else 'low'
metric visits = count(visit)
segment apart: city = 'Beijing'
"""


def fill(quanyu: Quanyu) -> tuple[int, int, int]:
    """Ingests two orders of ann and an order and a browse of bob; returns the raw offset and both people."""
    declare(quanyu)
    browse = order("3", "card:bob", ago(DAY))
    browse.event.type = "browse"
    browse.event.properties.clear()
    offset = send(
        quanyu,
        order("1", "card:ann", ago(9 * DAY)),
        order("2", "card:ann", ago(DAY)),
        order("4", "card:bob", ago(2 * DAY)),
        browse,
        lives_in("card:ann", "Beijing"),
        lives_in("card:bob", "Beijing"),
    )
    publish(quanyu, RULES, offset)
    return (offset, *people(quanyu, offset, "card:ann", "card:bob"))  # type: ignore[return-value]


def refusal(call: object) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call()  # type: ignore[operator]
    return reason(caught.value)[:2]


def diff(quanyu: Quanyu, name: str, **fields: object) -> pb.RuleChange:
    request = pb.DiffRuleRequest(workspace=quanyu.workspace, name=name, **fields)  # type: ignore[arg-type]
    change: pb.RuleChange = quanyu.tagging.DiffRule(request, timeout=PATIENCE).change
    return change


def movements(change: pb.RuleChange) -> list[tuple[str, int, int, int]]:
    return [(c.name, c.entering, c.leaving, c.staying) for c in change.comparisons]


def test_diff_describes_the_change_between_two_versions(quanyu: Quanyu) -> None:
    offset, _, bob = fill(quanyu)
    publish(quanyu, "segment apart@2: city = 'Beijing' and did browse ever", offset)
    newest = diff(quanyu, "apart")
    assert (newest.from_version, newest.to_version, newest.kind) == (1, 2, pb.Rule.KIND_SEGMENT)
    assert list(newest.differences) == ["added: did browse ever"]
    assert movements(newest) == [("apart", 0, 1, 1)]
    back = diff(quanyu, "apart", from_version=2, to_version=1)
    assert list(back.differences) == ["removed: did browse ever"]
    assert list(back.comparisons[0].entering_sample) != [bob]
    assert list(back.comparisons[0].entering_clauses) == ["did browse ever"]
    assert list(newest.comparisons[0].leaving_clauses) == ["did browse ever"]
    text = diff(quanyu, "apart", text="segment apart@3: city = 'Shanghai'")
    assert (text.from_version, text.to_version, movements(text)) == (2, 3, [("apart", 0, 1, 0)])
    metric = diff(quanyu, "visits", text="metric visits@2 = count(order) + 1")
    assert list(metric.differences) == ["changed from count(visit@1) to count(order) + 1"]
    assert not metric.comparisons
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(lambda: diff(quanyu, "visits")) == (invalid, "NO_FORMER_VERSION")
    assert refusal(lambda: diff(quanyu, "apart", text="segment other: did order")) == (invalid, "DIFF_NAME")
    assert refusal(lambda: diff(quanyu, "apart", text="segment apart@3: did ordr")) == (invalid, "RULE_NAME")
    assert refusal(lambda: diff(quanyu, "gone")) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_RULE")


def test_impact_lists_dependents_and_their_changes(quanyu: Quanyu) -> None:
    offset, _, bob = fill(quanyu)
    request = pb.ListDependentsRequest(workspace=quanyu.workspace, name="visit", page_size=3)
    page = quanyu.tagging.ListDependents(request)
    request.page_token = page.next_page_token
    rest = quanyu.tagging.ListDependents(request)
    assert [(d.name, d.version, d.direct, d.newest) for d in (*page.dependents, *rest.dependents)] == [
        ("local", 1, False, True),
        ("loyalty", 1, False, True),
        ("regulars", 1, True, True),
        ("visits", 1, True, True),
    ]
    assert (page.next_page_token, rest.next_page_token) == ("1:regulars", "")
    rule = quanyu.tagging.GetRule(pb.GetRuleRequest(workspace=quanyu.workspace, name="local"))
    assert list(rule.dependencies) == ["regulars@1"]

    asked = pb.DescribeImpactRequest(workspace=quanyu.workspace, text="define visit@2 = order or browse")
    found = quanyu.tagging.DescribeImpact(asked, timeout=PATIENCE)
    assert [(c.name, c.from_version, c.to_version, list(c.differences)) for c in found.changed] == [
        ("visit", 1, 2, ["added: browse"])
    ]
    assert {c.name: movements(c) for c in found.dependents} == {
        "regulars": [("regulars", 1, 0, 1)],
        "local": [("local", 1, 0, 1)],
        "loyalty": [("loyalty: high", 1, 0, 1), ("loyalty: low", 0, 1, 0)],
        "visits": [],
    }
    assert list(found.dependents[0].comparisons[0].entering_sample) == [bob]
    assert "definition visit@2 is used, was visit@1: added: browse" in found.dependents[0].differences
    # The call published nothing.
    assert len(quanyu.tagging.ListRules(pb.ListRulesRequest(workspace=quanyu.workspace)).rules) == 6
    wrong = pb.DescribeImpactRequest(workspace=quanyu.workspace, text="metric visits@2 = earliest(order)")
    publish(quanyu, "segment many: visits > 3", offset)
    (broken,) = quanyu.tagging.DescribeImpact(wrong, timeout=PATIENCE).dependents
    assert (broken.name, "many@2" in broken.error, movements(broken)) == ("many", True, [])


def test_a_rollback_is_a_new_version_that_live_segments_follow(quanyu: Quanyu) -> None:
    offset, ann, bob = fill(quanyu)
    follower = Follower(quanyu, "apart")
    wait_until(lambda: "apart" in listed(quanyu))
    follower.follow_until(follower.holds("apart", ann, bob))
    publish(quanyu, "segment apart@2: did browse ever", offset)
    follower.follow_until(follower.holds("apart", bob))

    def roll_back(version: int) -> pb.RollBackRuleResponse:
        request = pb.RollBackRuleRequest(workspace=quanyu.workspace, name="apart", to_version=version, author="eve")
        answer: pb.RollBackRuleResponse = quanyu.tagging.RollBackRule(request, timeout=PATIENCE)
        return answer

    back = roll_back(1)
    assert (back.rule.version, back.rule.author, back.rule.text) == (3, "eve", "segment apart@3: city = 'Beijing'")
    assert (back.change.from_version, movements(back.change)) == (2, [("apart", 1, 0, 1)])
    follower.follow_until(follower.holds("apart", ann, bob))
    assert follower.versions == {"apart": 3}
    assert list(diff(quanyu, "apart", from_version=1).differences) == []
    again = roll_back(1)
    assert (again.rule, movements(again.change)) == (back.rule, [("apart", 0, 0, 2)])
    roll_back(2)
    # The stream reports that ann leaves.
    follower.follow_until(follower.holds("apart", bob))
    assert follower.versions == {"apart": 4}
    assert live_members(quanyu, "apart", offset) == {bob}
    follower.check_history()
    assert refusal(lambda: roll_back(0)) == (grpc.StatusCode.INVALID_ARGUMENT, "NO_VERSION")
    assert refusal(lambda: roll_back(9)) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_RULE")


def test_concurrent_publishers_get_distinct_versions(quanyu: Quanyu) -> None:
    offset, *_ = fill(quanyu)

    def attempt(number: int) -> str:
        try:
            publish(quanyu, f"segment apart@2: did order at least {number + 1} times", offset)
        except grpc.RpcError as error:
            return reason(error)[1]
        return "published"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(8)))
    assert sorted(outcomes) == ["RULE_VERSION"] * 7 + ["published"]

    def roll_back(_: int) -> int:
        request = pb.RollBackRuleRequest(workspace=quanyu.workspace, name="apart", to_version=1, author="eve")
        return int(quanyu.tagging.RollBackRule(request, timeout=PATIENCE).rule.version)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(roll_back, range(8))) == {3}
