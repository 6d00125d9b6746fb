"""Decides to which addresses a webhook can connect, by the address that its host name resolves to."""

from __future__ import annotations

import ipaddress
import socket

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class PrivateAddressError(Exception):
    """The host is, or resolves to, an address that is not public."""


def resolve(host: str, port: int, *, allow_private: bool) -> str:
    """Resolves a host to an address and checks it. Callers connect to this address, not to the name.

    Raises PrivateAddressError if any of its addresses is not public, and OSError if it does not resolve.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not allow_private:
        for address in addresses:
            if not is_public(ipaddress.ip_address(address.partition("%")[0])):
                raise PrivateAddressError(
                    f"{host} resolves to {address}, which is not public; set allow_private_address if this is intended"
                )
    return addresses[0]


def is_public(address: IPAddress) -> bool:
    """Returns whether an address is public. For an IPv6 address that embeds an IPv4 address, checks the latter."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour or _nat64(address)
        if carried is not None:
            return is_public(carried)
    return address.is_global and not address.is_multicast


def _nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
