from __future__ import annotations

import gzip

import numpy as np
import pytest

from hangtag.core.errors import HangtagError
from hangtag.data import fingerprints, idx
from hangtag.data.idx_folder import open_idx_folder

NAMES = tuple("0123456789")


def refusal(folder, half="training") -> str:
    with pytest.raises(HangtagError) as caught:
        getattr(open_idx_folder("mnist", NAMES, folder), half)()
    return caught.value.code


def test_reads_gzipped_and_plain_files(digits, tmp_path):
    packed = open_idx_folder("mnist", NAMES, digits.write(tmp_path / "x"))
    (tmp_path / "plain").mkdir()
    for name, content in digits.content.items():
        (tmp_path / "plain" / name.removesuffix(".gz")).write_bytes(gzip.decompress(content))
    plain = open_idx_folder("mnist", NAMES, tmp_path / "plain")
    assert packed.training().digest() == plain.training().digest()
    assert (len(packed.test()), packed.class_names) == (20, NAMES)
    assert all(read().size for read in packed.files.values())


def test_refuses_more_labels_than_pictures(digits, tmp_path):
    labels = gzip.compress(idx.encode(np.zeros(41, dtype=np.uint8)))
    assert refusal(digits.write(tmp_path / "x", train_labels=labels)) == "data_count"


def test_refuses_a_label_beyond_the_classes(digits, tmp_path):
    labels = gzip.compress(idx.encode(np.arange(40, dtype=np.uint8)))
    assert refusal(digits.write(tmp_path / "x", train_labels=labels)) == "data_label"


def test_refuses_what_is_cut_off_or_a_web_page(digits, tmp_path):
    images = digits.content[digits.pictures.name]
    assert refusal(digits.write(tmp_path / "x", train_images=images[:-9])) == "data_truncated"
    assert refusal(digits.write(tmp_path / "x", train_images=b"<html>")) == "data_not_gzip"


def test_refuses_garments_under_the_name_of_digits(digits, tmp_path, monkeypatch):
    monkeypatch.setitem(fingerprints.OWNER_OF_MD5, digits.pictures.md5, "fashion-mnist")
    assert refusal(digits.write(tmp_path / "x")) == "data_hash"


def test_says_which_file_is_missing(digits, tmp_path):
    folder = digits.write(tmp_path / "x")
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    assert refusal(folder, "test") == "data_not_found"


def test_is_not_downloaded_and_says_so(cache):
    with pytest.raises(HangtagError, match="not downloaded") as caught:
        open_idx_folder("mnist", NAMES, None)
    assert caught.value.code == "data_not_found"
