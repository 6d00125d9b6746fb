"""Sends webhooks signed by the Standard Webhooks specification.

`webhook-id` is the key of the message, so that receivers can recognise repetitions.
"""

from __future__ import annotations

import email.utils
import json
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks import Webhook

from quanyu.delivery.domain import ACCEPTED, MessageState, Outcome
from quanyu.delivery.sinks import Finished, Outgoing, Run, SinkFailedError
from quanyu.delivery.sinks.addresses import PrivateAddressError, resolve
from quanyu.runtime.errors import Unavailable

CONNECTIONS = 32
TIMEOUT_SECONDS = 5.0
# How long a resolved address is used.
_ADDRESS_SECONDS = 30.0
_LARGEST_RETRY_AFTER = 86_400.0
_RETRIED = frozenset({408, 425, 429, *range(500, 600)})


class WebhookSink:
    """Posts each message as JSON.

    2xx is accepted; 408, 425, 429, 5xx and broken connections are retried; all other responses are final.
    """

    batch = 4 * CONNECTIONS

    def __init__(self, config: Mapping[str, Any], run: Run) -> None:
        self._url = httpx.URL(config["url"])
        self._allow_private = bool(config["allow_private_address"])
        self._signer = Webhook(config["secret"])
        self._run = run
        self._planned_at = datetime.fromtimestamp(run.planned_at_ms / 1000, UTC).isoformat()
        self._pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="webhook")
        self._tls = httpx.create_ssl_context()
        # One transport for each thread: a shared connection pool costs more than the requests.
        self._local = threading.local()
        self._transports: list[httpx.HTTPTransport] = []
        self._address: tuple[float, httpx.URL] | None = None

    def check(self) -> None:
        self._resolved()

    def send(self, shard: int, messages: Sequence[Outgoing]) -> list[Outcome]:
        address = self._resolved()
        return list(self._pool.map(lambda message: self._post(address, message), messages))

    def finish(self) -> list[Finished]:
        return []

    def close(self) -> None:
        self._pool.shutdown()
        for transport in self._transports:
            transport.close()

    def _resolved(self) -> httpx.URL:
        """Returns the URL with a checked address instead of the host."""
        if self._address is None or time.monotonic() - self._address[0] > _ADDRESS_SECONDS:
            port = self._url.port or (443 if self._url.scheme == "https" else 80)
            try:
                found = resolve(self._url.host, port, allow_private=self._allow_private)
            except PrivateAddressError as error:
                raise SinkFailedError(str(error)) from error
            except OSError as error:
                raise Unavailable(f"{self._url.host} does not resolve: {error}") from error
            self._address = (time.monotonic(), self._url.copy_with(host=found))
        return self._address[1]

    def _post(self, address: httpx.URL, message: Outgoing) -> Outcome:
        try:
            response = self._transport().handle_request(self._request(address, message))
        except httpx.TransportError as error:
            return Outcome(MessageState.RETRY_WAIT, f"{type(error).__name__}: {error}")
        _drain(response)
        return _outcome(response.status_code, response.headers)

    def _request(self, address: httpx.URL, message: Outgoing) -> httpx.Request:
        body = self._body(message)
        now = datetime.now(UTC)
        return httpx.Request(
            "POST",
            address,
            content=body.encode(),
            headers={
                "host": self._url.netloc.decode("ascii"),
                "content-type": "application/json",
                "user-agent": "quanyu",
                "webhook-id": message.key,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": self._signer.sign(message.key, now, body),
            },
            extensions={
                "sni_hostname": self._url.host,
                "timeout": dict.fromkeys(("connect", "read", "write", "pool"), TIMEOUT_SECONDS),
            },
        )

    def _body(self, message: Outgoing) -> str:
        """Returns the body, which is the same at each attempt. Persons are texts: JavaScript numbers have 53 bits."""
        data = {"campaign": self._run.campaign, "person": str(message.person), "identifier": message.identifier}
        if self._run.has_coupon:
            data["coupon"] = message.coupon
        if self._run.has_content:
            data["content"] = message.content
        body = {"type": "campaign.message", "timestamp": self._planned_at, "data": data}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"))

    def _transport(self) -> httpx.HTTPTransport:
        transport: httpx.HTTPTransport | None = getattr(self._local, "transport", None)
        if transport is None:
            transport = self._local.transport = httpx.HTTPTransport(verify=self._tls)
            self._transports.append(transport)
        return transport


def _drain(response: httpx.Response, limit: int = 65_536) -> None:
    """Reads and ignores a small response, so that the connection can be reused."""
    try:
        for chunk in response.iter_raw():
            limit -= len(chunk)
            if limit < 0:
                break
    except httpx.TransportError:
        pass
    finally:
        response.close()


def _outcome(status: int, headers: Mapping[str, str]) -> Outcome:
    if 200 <= status < 300:
        return ACCEPTED
    if status in _RETRIED:
        return Outcome(
            MessageState.RETRY_WAIT, f"HTTP {status}", parse_retry_after(headers.get("retry-after"), time.time())
        )
    return Outcome(MessageState.DEAD, f"HTTP {status}")


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Parses a Retry-After header (seconds or an HTTP date); returns seconds, or None if it is missing or invalid."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return min(float(value), _LARGEST_RETRY_AFTER)
    try:
        asked = email.utils.parsedate_to_datetime(value).timestamp() - now
    except ValueError:
        return None
    return min(max(asked, 0.0), _LARGEST_RETRY_AFTER)
