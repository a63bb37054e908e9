from __future__ import annotations

import gzip
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hangtag.core.errors import HangtagError
from hangtag.data import idx

PICTURES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
PLAIN = idx.encode(PICTURES)
PACKED = gzip.compress(PLAIN, mtime=0)
ANY = (None, 28, 28)


def code(content: bytes, shape: tuple[int | None, ...] = ANY) -> str:
    with pytest.raises(HangtagError) as caught:
        idx.decode(content, shape, "x-idx3-ubyte.gz")
    assert "x-idx3-ubyte.gz" in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value.code


@pytest.mark.parametrize("content", [PLAIN, PACKED], ids=["plain", "gzip"])
def test_reads_back_what_was_written_as_a_writable_array(content):
    values = idx.decode(content, ANY, "x")
    np.testing.assert_array_equal(values, PICTURES)
    values[0, 0, 0] = 7


@pytest.mark.parametrize("content", [PLAIN, PACKED], ids=["plain", "gzip"])
@pytest.mark.parametrize("cut", [0, 1, 9, 10, 0.5, -1])
def test_says_cut_off_wherever_the_cut_is(content, cut):
    assert code(content[: int(len(content) * cut) if isinstance(cut, float) else cut]) == "data_truncated"


@given(st.integers(0, len(PACKED) - 1))
def test_says_cut_off_at_any_offset(offset):
    assert code(PACKED[:offset]) == "data_truncated"


def test_refuses_every_other_header_byte():
    for position in range(16):
        for value in range(256):
            if value != PLAIN[position]:
                changed = PLAIN[:position] + bytes([value]) + PLAIN[position + 1 :]
                kinds = {"data_truncated", "data_count"} if 4 <= position < 8 else {"data_format"}
                assert code(changed) in kinds, (position, value)


@given(st.integers(10, len(PACKED) - 1), st.integers(1, 255))
def test_never_returns_other_pixels_than_were_packed(position, difference):  # gzip's CRC sees to it
    changed = bytearray(PACKED)
    changed[position] ^= difference
    try:
        values = idx.decode(bytes(changed), ANY, "x")
    except HangtagError as error:
        assert error.code in {"data_format", "data_truncated", "data_count"}  # noqa: PT017
    else:
        np.testing.assert_array_equal(values, PICTURES)


@pytest.mark.parametrize("extra", [b"\0", PLAIN], ids=["a byte", "a second file"])
def test_refuses_bytes_after_the_last_value(extra):
    assert code(PLAIN + extra) == "data_count"
    assert code(gzip.compress(PLAIN + extra)) == "data_count"
    assert code(PACKED + extra) == "data_count"


def test_refuses_another_number_of_items():
    assert code(PACKED, (6, 28, 28)) == "data_count"


def test_refuses_another_size_of_picture():
    assert code(PACKED, (None, 32, 32)) == "data_format"


def test_refuses_labels_in_place_of_pictures():
    assert code(idx.encode(np.zeros(9, dtype=np.uint8))) == "data_format"


def test_refuses_a_header_that_promises_nothing_or_too_much():
    assert code(idx.encode(np.zeros((0, 28, 28), dtype=np.uint8))) == "data_count"
    assert code(b"\0\0\x08\x03" + b"\xff\xff\xff\xff" + PLAIN[8:]) == "data_count"


def test_knows_a_login_page():
    assert code(b"\n  <!doctype html><html>...") == "data_not_gzip"


BOMB = """
import resource, sys
from hangtag.core.errors import HangtagError
from hangtag.data import idx
content = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    idx.decode(content, (60_000, 28, 28), "bomb")
except HangtagError as error:
    print(error.code, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux alone")
def test_stops_a_gzip_bomb_at_the_expected_size():
    packer = zlib.compressobj(9, wbits=31)
    header = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (60_000, 28, 28))
    start = packer.compress(header) + packer.flush(zlib.Z_FULL_FLUSH)
    mebibyte = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)  # stands alone, so it can be repeated
    bomb = start + 1024 * mebibyte
    assert len(bomb) < 2_000_000
    ran = subprocess.run([sys.executable, "-c", BOMB], input=bomb, capture_output=True, check=True)
    said, grown_mb = ran.stdout.split()
    assert said == b"data_count"
    assert int(grown_mb) < 47 + 80  # the pictures it may hold, and one step of unpacking; the bomb is 1,024
