"""Invalid channels and campaigns are rejected with advice."""

import pytest

from quanyu.delivery.checks import checked_campaign, checked_channel
from quanyu.delivery.tables import CampaignVersion, Channel
from quanyu.runtime.errors import InvalidInput

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def webhook(**config: object) -> Channel:
    whole = {"url": "https://example.com/hook", "secret": SECRET, "allow_private_address": False} | config
    return Channel(workspace="w", name="hook", kind="webhook", namespace="phone", config=whole)


def campaign(**fields: object) -> CampaignVersion:
    whole = {
        "name": "recall",
        "segment": "lapsed",
        "channel": "letters",
        "holdout_basis_points": 0,
        "cap_messages": 0,
        "cap_days": 0,
        "coupon_prefix": "",
        "template": "",
    }
    return CampaignVersion(**whole | fields)


def test_valid_channels_and_campaigns_pass() -> None:
    checked_channel(webhook())
    checked_channel(webhook(url="http://127.0.0.1:8080/x", allow_private_address=True))
    checked_channel(webhook(url="https://[2606:4700::1111]:443/x"))
    checked_channel(webhook(url="https://münchen.example/x"))
    checked_campaign(campaign(coupon_prefix="SPRING-", template="Yours: {coupon}", cap_messages=1, cap_days=7))


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"url": "ftp://example.com"}, "http:// or https://"),
        ({"url": "/relative"}, "http:// or https://"),
        ({"url": "https://user:pw@example.com"}, "without user"),
        ({"url": "https://exa mple.com:port"}, "url"),
        ({"url": "http://127.0.0.1/x"}, "allow_private_address"),
        ({"url": "http://localhost/x"}, "allow_private_address"),
        ({"url": "http://[::1]/x"}, "allow_private_address"),
        ({"url": "http://169.254.169.254/latest"}, "allow_private_address"),
        ({"url": "http://exa mple.com"}, "not a valid host"),
        ({"url": "http://example.com:99999"}, "port from 1 to 65535"),
        ({"url": "http://example.com:-1"}, "port from 1 to 65535"),
        ({"url": f"http://{'a' * 64}.com"}, "not a valid host"),
        ({"secret": ""}, "whsec_"),
        ({"secret": "whsec_"}, "whsec_"),
        ({"secret": "whsec_c2hvcnQ="}, "16 random bytes"),
        ({"secret": SECRET.removeprefix("whsec_")}, "whsec_"),
        ({"secret": "whsec_***********************************"}, "whsec_"),
    ],
)
def test_an_invalid_webhook_is_rejected(config: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        checked_channel(webhook(**config))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "../x"}, "not a name"),
        ({"segment": ""}, "no segment"),
        ({"holdout_basis_points": 10_000}, "leaves nobody"),
        ({"cap_messages": 3}, "cap_messages and cap_days together"),
        ({"cap_days": 3}, "cap_messages and cap_days together"),
        ({"coupon_prefix": "a b"}, "coupon_prefix"),
        ({"coupon_prefix": "x" * 33}, "coupon_prefix"),
        ({"template": "{name}"}, "unknown field"),
        ({"template": "{coupon}"}, "set coupon_prefix"),
        ({"template": "x" * 65_537}, "shorten it to 65,536"),
        ({"purpose": "x" * 256}, "shorten it to 255"),
    ],
)
def test_an_invalid_campaign_is_rejected(fields: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        checked_campaign(campaign(**fields))


@pytest.mark.parametrize("namespace", ["", "a phone", "1st", "x" * 200])
def test_a_channel_needs_a_namespace(namespace: str) -> None:
    with pytest.raises(InvalidInput, match="namespace"):
        checked_channel(Channel(workspace="w", name="file", kind="csv", namespace=namespace, config={}))
