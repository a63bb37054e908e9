"""Who asks, and how much of a thing that is limited one client may hold: three quarters, so that others are let in."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def client_of(address: str) -> str:
    """The client behind an address: of IPv6 the network of 64 bits, which is what one customer is given."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))
        found = found.ipv4_mapped
    return str(found)


class Proxies:
    """The reverse proxies whose `X-Forwarded-For` is believed.

    Args:
        networks: their addresses; by default none are.
    """

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        self.networks = networks

    def trust(self, address: str) -> bool:
        """Whether the address is one of them."""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found in network for network in self.networks)

    def client(self, peer: str, forwarded: list[str]) -> str:
        """The client of a request.

        Args:
            peer: the address at the other end of the connection.
            forwarded: the values of `X-Forwarded-For`: each proxy adds the address it was asked from at the end, and
                what stands before the first one that is not trusted may be invented.
        """
        for entry in reversed([peer, *",".join(forwarded).split(",")][1:] if self.trust(peer) else []):
            address = _without_port(entry.strip())
            if address is None:
                break
            if not self.trust(address):
                return client_of(address)
        return client_of(peer)


def _without_port(entry: str) -> str | None:
    """The address in `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`."""
    if entry.startswith("["):
        entry = entry[1:].partition("]")[0]
    elif entry.count(":") == 1:
        entry = entry.partition(":")[0]
    try:
        return str(ipaddress.ip_address(entry))
    except ValueError:
        return None


NONE = Proxies()


def share(limit: int) -> int:
    """The most of `limit` that one client may hold."""
    return limit - limit // 4


class Places:
    """Something there is only so much of, and who holds how much of it."""

    def __init__(self) -> None:
        self.used = 0
        self._used_by: Counter[str] = Counter()

    def take(self, client: str, limit: int, limit_of_one: int, count: int = 1) -> bool:
        """Whether `count` more could be taken, out of `limit` for all clients and `limit_of_one` for this one."""
        if self.used + count > limit or self._used_by[client] + count > limit_of_one:
            return False
        self.used += count
        self._used_by[client] += count
        return True

    def give_back(self, client: str, count: int = 1) -> None:
        """Return what was taken."""
        self.used -= count
        self._used_by[client] -= count
        if not self._used_by[client]:
            del self._used_by[client]
