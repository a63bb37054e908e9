"""Where it listens, and what it says of that."""

import socket

import pytest

from hangtag.core.errors import HangtagError
from hangtag.serve import server


def free(host):
    try:
        return server.listen(host, 0)
    except Exception:
        pytest.skip(f"no {host} here")


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::", "localhost"])
def test_every_address_it_prints_can_be_reached(host):
    with free(host) as listening:
        listening.listen()
        found = server.addresses(listening)
        assert found
        address, _, port = found[0].removeprefix("http://").rpartition(":")
        with socket.create_connection((address.strip("[]"), int(port))):
            pass


def test_everywhere_means_this_machine_first():
    with free("0.0.0.0") as listening:
        assert server.addresses(listening)[0].startswith("http://127.0.0.1:")


@pytest.mark.parametrize("host", ["ü..x", "ü" * 70])
def test_what_is_no_address_is_a_line(host):
    with pytest.raises(HangtagError, match="cannot listen at") as caught:
        server.listen(host, 0)
    assert caught.value.code == "usage_address"
