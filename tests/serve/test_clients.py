"""Who a client is, and that one of them cannot hold everything."""

import ipaddress

import pytest

from hangtag.serve.clients import Places, Proxies, client_of, share


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("127.0.0.1", "::ffff:127.0.0.1"),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
        ("fe80::1%eth0", "fe80::2"),
        ("", ""),
    ],
)
def test_addresses_of_one_client_are_one_client(one, other):
    assert client_of(one) == client_of(other)


@pytest.mark.parametrize(
    ("one", "other"), [("127.0.0.1", "127.0.0.2"), ("2001:db8:1:2::1", "2001:db8:1:3::1"), ("::1", "127.0.0.1")]
)
def test_addresses_of_two_clients_are_two(one, other):
    assert client_of(one) != client_of(other)


def proxies(*networks):
    return Proxies([ipaddress.ip_network(network) for network in networks])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("::ffff:10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["198.51.100.1, 192.0.2.1"], "192.0.2.1"),  # the first may be invented
        ("10.0.0.1", ["198.51.100.1", "192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["192.0.2.1, 10.0.0.2"], "192.0.2.1"),  # two proxies, one behind the other
        ("10.0.0.1", ["192.0.2.1:4711"], "192.0.2.1"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::/64"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.1, \x1b[31m"], "10.0.0.1"),
        ("192.0.2.9", ["192.0.2.1"], "192.0.2.9"),  # no proxy of ours
    ],
)
def test_a_forwarded_address_is_believed_of_a_trusted_proxy_alone(peer, forwarded, client):
    assert proxies("10.0.0.0/8").client(peer, forwarded) == client
    assert Proxies().client(peer, forwarded) == client_of(peer)


def test_one_client_leaves_room_for_others():
    places = Places()
    assert [places.take("a", 8, share(8)) for _ in range(8)] == [True] * 6 + [False] * 2
    assert [places.take("b", 8, share(8)) for _ in range(3)] == [True, True, False]
    places.give_back("a")
    assert places.take("b", 8, share(8))
    assert places.used == 8


def test_whoever_has_gone_is_forgotten():
    places = Places()
    for client in range(1_000):
        assert places.take(str(client), 1, 1)
        places.give_back(str(client))
    assert not places._used_by
