"""Validates channels and campaigns: names, addresses, secrets, templates and limits."""

from __future__ import annotations

import base64
import ipaddress
import re
from typing import Any

import httpx

from quanyu.delivery.domain import COUPON_PREFIX, name_problem, parse_template
from quanyu.delivery.sinks.addresses import is_public
from quanyu.delivery.tables import CampaignVersion, Channel
from quanyu.runtime.errors import InvalidInput

_SHORTEST_SECRET_BYTES = 16
_LONGEST_TEMPLATE = 64 * 1024
_LONGEST_PURPOSE = 255
# The form of a namespace in records.
_NAMESPACE = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,127}")
_HOST = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_LARGEST_PORT = 65535


def checked_channel(channel: Channel) -> Channel:
    """Returns the channel; raises InvalidInput if it is not valid."""
    _check_name(channel.name)
    if not channel.namespace:
        raise InvalidInput(
            "the channel has no namespace; give the namespace of the identifiers that messages go to, such as `phone`",
            field="namespace",
        )
    _require(
        _NAMESPACE.fullmatch(channel.namespace) is not None,
        "namespace",
        f"{channel.namespace[:40]!r} is not a namespace of identifiers; give one that records use, such as `phone`",
    )
    if channel.kind == "webhook":
        _check_webhook(channel.config)
    return channel


def checked_campaign(campaign: CampaignVersion) -> CampaignVersion:
    """Returns the campaign; raises InvalidInput if it is not valid."""
    _check_name(campaign.name)
    _require(bool(campaign.segment), "segment", "the campaign has no segment; give the segment that receives it")
    _require(
        campaign.holdout_basis_points < 10_000,
        "holdout_basis_points",
        f"a holdout of {campaign.holdout_basis_points} basis points leaves nobody; give at most 9999 (10% is 1000)",
    )
    _require(
        (campaign.cap_messages == 0) == (campaign.cap_days == 0),
        "cap_days",
        "set cap_messages and cap_days together: at most cap_messages within cap_days",
    )
    _require(
        COUPON_PREFIX.fullmatch(campaign.coupon_prefix) is not None,
        "coupon_prefix",
        f"coupon_prefix {campaign.coupon_prefix!r} may contain only ASCII letters, digits, _ and -, at most 32 of them",
    )
    _require(
        len(campaign.template) <= _LONGEST_TEMPLATE,
        "template",
        f"the template has {len(campaign.template):,} characters; shorten it to {_LONGEST_TEMPLATE:,}",
    )
    checked_purpose(campaign.purpose or "")
    try:
        fields = {field for _, field in parse_template(campaign.template)}
    except ValueError as error:
        raise InvalidInput(str(error), field="template") from error
    _require(
        "coupon" not in fields or bool(campaign.coupon_prefix),
        "template",
        "the template has {coupon}, but the campaign has no coupons; set coupon_prefix",
    )
    return campaign


def checked_purpose(purpose: str) -> str:
    """Returns the purpose; raises InvalidInput if it is too long."""
    _require(
        len(purpose) <= _LONGEST_PURPOSE,
        "purpose",
        f"the purpose has {len(purpose):,} characters; shorten it to {_LONGEST_PURPOSE}",
    )
    return purpose


def _check_name(name: str) -> None:
    problem = name_problem(name)
    _require(problem is None, "name", problem or "")


def _check_webhook(config: dict[str, Any]) -> None:
    try:
        url = httpx.URL(config["url"])
    except httpx.InvalidURL as error:
        raise InvalidInput(f"the webhook's url is malformed: {error}", field="url") from error
    _require(
        url.scheme in ("http", "https") and bool(url.host) and not url.userinfo,
        "url",
        "the webhook's url must be http:// or https:// with a host, and without user or password",
    )
    _require(
        _is_host(url.raw_host.decode("ascii")) and (url.port is None or 0 < url.port <= _LARGEST_PORT),
        "url",
        f"{url.netloc.decode()[:80]!r} is not a valid host and port; give a name or address and a port from 1 to 65535",
    )
    _require(
        bool(config["allow_private_address"]) or _may_be_public(url.host),
        "url",
        f"{url.host} is not a public address; set allow_private_address if this is intended",
    )
    _require(
        _is_secret(str(config["secret"])),
        "secret",
        f"the webhook's secret must be `whsec_` and the base64 of at least {_SHORTEST_SECRET_BYTES} random bytes",
    )


def _is_secret(secret: str) -> bool:
    prefix, encoded = secret[:6], secret[6:]
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        return False
    return prefix == "whsec_" and len(decoded) >= _SHORTEST_SECRET_BYTES


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return _HOST.fullmatch(host) is not None and len(host) <= 253
    return True


def _may_be_public(host: str) -> bool:
    """Returns whether a host can be public. Host names are checked again each time they are resolved."""
    try:
        return is_public(ipaddress.ip_address(host))
    except ValueError:
        return host != "localhost"


def _require(holds: bool, field: str, message: str) -> None:
    if not holds:
        raise InvalidInput(message, field=field)
