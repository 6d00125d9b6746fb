"""Webhooks are signed, carry the key of the message, and map responses to outcomes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from quanyu.delivery.sinks import Outgoing, Run, SinkFailedError
from quanyu.delivery.sinks.webhook import WebhookSink, parse_retry_after
from quanyu.runtime.errors import Unavailable

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cw=="
RUN = Run("recall", "lapsed@1", 1, 1_700_000_000_000, has_coupon=True, has_content=False)


@dataclass
class Receiver:
    """An HTTP server that records requests and answers with `answers` by identifier, else 200."""

    url: str
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.received.append((dict(self.headers.items()), body))
            status, headers = found.answers.get(json.loads(body)["data"]["identifier"], (200, {}))
            self.send_response(status)
            for name, value in {"content-length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Prints nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Receiver(f"http://127.0.0.1:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def sink(url: str, *, allow_private: bool = True) -> WebhookSink:
    return WebhookSink({"url": url, "secret": SECRET, "allow_private_address": allow_private}, RUN)


def message(person: int) -> Outgoing:
    return Outgoing(f"{person:032x}", person, f"card{person}", f"C{person}", "")


def test_a_request_is_signed_and_has_the_same_body_at_each_attempt(receiver: Receiver) -> None:
    opened = sink(receiver.url)
    for _ in range(2):
        assert [outcome.state for outcome in opened.send(0, [message(2**60)])] == ["accepted"]
    opened.close()
    (headers, body), (_, again) = receiver.received
    assert body == again
    assert Webhook(SECRET).verify(body, {name.lower(): value for name, value in headers.items()}) == {
        "type": "campaign.message",
        "timestamp": "2023-11-14T22:13:20+00:00",
        "data": {"campaign": "recall", "person": str(2**60), "identifier": f"card{2**60}", "coupon": f"C{2**60}"},
    }
    assert {name.lower(): value for name, value in headers.items()}["webhook-id"] == message(2**60).key


def test_responses_map_to_outcomes_in_the_order_of_the_messages(receiver: Receiver) -> None:
    receiver.answers = {
        "card2": (429, {"retry-after": "7"}),
        "card3": (404, {}),
        "card4": (503, {}),
        "card5": (302, {"location": "http://127.0.0.1:1/"}),
    }
    opened = sink(receiver.url)
    outcomes = opened.send(0, [message(person) for person in range(1, 6)])
    opened.close()
    assert [(outcome.state, outcome.detail, outcome.retry_after) for outcome in outcomes] == [
        ("accepted", "", None),
        ("retry_wait", "HTTP 429", 7.0),
        ("dead", "HTTP 404", None),
        ("retry_wait", "HTTP 503", None),
        ("dead", "HTTP 302", None),
    ]


def test_a_broken_connection_is_retried(receiver: Receiver) -> None:
    opened = sink("http://127.0.0.1:1/")
    (outcome,) = opened.send(0, [message(1)])
    opened.close()
    assert outcome.state == "retry_wait"
    assert "ConnectError" in outcome.detail


def test_check_rejects_private_addresses_and_reports_unknown_hosts() -> None:
    private = sink("http://localhost:1/", allow_private=False)
    with pytest.raises(SinkFailedError, match="is not public"):
        private.check()
    private.close()
    unknown = sink("http://host.invalid/")
    with pytest.raises(Unavailable, match="does not resolve"):
        unknown.check()
    unknown.close()


@given(st.integers(0, 10**9), st.floats(0, 2e9))
def test_retry_after_seconds_and_dates(seconds: int, now: float) -> None:
    assert parse_retry_after(str(seconds), now) == min(seconds, 86_400)
    asked = parse_retry_after(formatdate(now + 100, usegmt=True), now)
    assert asked == pytest.approx(100, abs=1)


@pytest.mark.parametrize("value", ["soon", "-1", "", "1.5", "Mon, 99 Foo 2020", "²"])
def test_an_invalid_retry_after_is_none(value: str) -> None:
    assert parse_retry_after(value, 0.0) is None


def test_a_retry_after_in_the_past_is_0() -> None:
    assert parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT", 2e9) == 0
    assert parse_retry_after(None, 0.0) is None
