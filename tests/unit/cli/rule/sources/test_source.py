"""Requests of tagging.proto are built by the name of the call."""

from __future__ import annotations

import pytest

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.cli.rule.sources.source import build_request


def test_a_request_has_the_type_of_the_call_and_the_given_fields() -> None:
    request = build_request("CompleteRule", "shop", {"text": "did or", "offset": 6})
    assert request == pb.CompleteRuleRequest(workspace="shop", text="did or", offset=6)


def test_a_field_that_the_call_does_not_have_is_rejected() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        build_request("CompleteRule", "shop", {"nonsense": 1})
