"""A webhook connects only to public addresses, unless its channel allows private ones."""

import ipaddress

import pytest

from quanyu.delivery.sinks.addresses import PrivateAddressError, is_public, resolve


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
    ],
)
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_resolve_rejects_a_name_that_resolves_to_a_private_address() -> None:
    with pytest.raises(PrivateAddressError, match="localhost resolves to"):
        resolve("localhost", 80, allow_private=False)
    assert ipaddress.ip_address(resolve("localhost", 80, allow_private=True)).is_loopback
    # Some resolvers accept these spellings of 127.0.0.1.
    for name in ("2130706433", "0x7f.1", "127.1"):
        with pytest.raises((PrivateAddressError, OSError)):
            resolve(name, 80, allow_private=False)
