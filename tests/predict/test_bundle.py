"""A bundle is opened only if every byte of it is what its card says, and never if it could run code."""

import dataclasses
import io
import json
import os
import pickle
import sys
import zipfile
from pathlib import Path

import pytest

from hangtag import predict
from hangtag.core import card as cards
from hangtag.core.errors import HangtagError
from hangtag.predict.bundle import open_bundle

HEADER = json.dumps({"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}).encode()


FOUND_CLASSES: list[str] = []  # what any unpickler looked up
sys.addaudithook(lambda event, _: FOUND_CLASSES.append(event) if event == "pickle.find_class" else None)


def safetensors(header: bytes = HEADER, body: bytes = b"\1\2\3\4") -> bytes:
    return len(header).to_bytes(8, "little") + header + body


class Payload:
    """Touches a file when unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self):
        return Path.touch, (self.canary,)


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("data.pkl", b"")
    return file.getvalue()


def code_of(folder) -> str:
    with pytest.raises(HangtagError) as caught:
        open_bundle(folder)
    assert "\n" not in caught.value.message
    assert caught.value.exit_status == 5
    return caught.value.code


def test_opens_what_was_written(bundle):
    opened = open_bundle(bundle)
    assert opened.card.class_names[9] == "Ankle boot"
    assert opened.files == {cards.ONNX: (bundle / cards.ONNX).read_bytes()}


def test_finds_a_bundle_by_name(bundle, monkeypatch):
    monkeypatch.setenv("HANGTAG_WEIGHTS", str(bundle.parent))
    assert open_bundle("tiny").folder == bundle
    with pytest.raises(HangtagError, match="Did you mean 'tiny'"):
        open_bundle("tinny")


def test_notices_a_flipped_bit_anywhere(bundle):
    for name in (cards.FILE, cards.ONNX):
        whole = (bundle / name).read_bytes()
        for position in range(0, len(whole), max(1, len(whole) // 40)):
            damaged = bytearray(whole)
            damaged[position] ^= 1
            (bundle / name).write_bytes(bytes(damaged))
            assert code_of(bundle) in ("bundle_damaged", "bundle_incompatible")
        (bundle / name).write_bytes(whole)
    open_bundle(bundle)


@pytest.mark.parametrize("change", [lambda whole: whole[:-1], lambda whole: whole + b"\0", lambda whole: b""])
def test_notices_a_cut_or_longer_file(bundle, change):
    path = bundle / cards.ONNX
    path.write_bytes(change(path.read_bytes()))
    assert code_of(bundle) == "bundle_damaged"


def test_notices_a_missing_file(bundle):
    (bundle / cards.ONNX).unlink()
    assert code_of(bundle) == "bundle_damaged"


def test_notices_damage_in_the_file_it_does_not_run(bundle):
    (bundle / cards.WEIGHTS).write_bytes(safetensors())
    cards.write(cards.read(bundle), bundle)
    assert set(open_bundle(bundle).files) == {cards.ONNX, cards.WEIGHTS}
    (bundle / cards.WEIGHTS).write_bytes(safetensors(body=b"\1\2\3\5"))
    assert code_of(bundle) == "bundle_damaged"


def test_refuses_a_file_its_card_does_not_list(bundle):
    (bundle / cards.WEIGHTS).write_bytes(safetensors())
    assert code_of(bundle) == "bundle_damaged"


@pytest.mark.parametrize("name", [cards.WEIGHTS, cards.ONNX])
@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5, "zip"])
@pytest.mark.parametrize("vouched_for", [True, False])
def test_never_unpickles(bundle, tmp_path, name, protocol, vouched_for):
    canary = tmp_path / "canary"
    content = archive() if protocol == "zip" else pickle.dumps(Payload(canary), protocol=protocol)
    (bundle / name).write_bytes(content)
    if vouched_for:
        cards.write(cards.read(bundle), bundle)
    FOUND_CLASSES.clear()
    assert code_of(bundle) == "bundle_unsafe"
    with pytest.raises(HangtagError):
        predict.load(bundle)
    assert not canary.exists()
    assert not FOUND_CLASSES


def test_does_not_mistake_safetensors_for_a_pickle(bundle):
    header = HEADER.ljust(0x280)  # its length reads 80 02, as a pickle's first bytes do
    (bundle / cards.WEIGHTS).write_bytes(safetensors(header))
    cards.write(cards.read(bundle), bundle)
    assert cards.WEIGHTS in open_bundle(bundle).files


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff" * 40, (10**9).to_bytes(8, "little") + b"{}", safetensors(b"[1]")]
)
def test_refuses_weights_that_are_no_safetensors(bundle, content):
    (bundle / cards.WEIGHTS).write_bytes(content)
    cards.write(cards.read(bundle), bundle)
    assert code_of(bundle) == "bundle_damaged"


def test_refuses_a_card_that_names_other_files(bundle):
    card = cards.read(bundle)
    for name in ("../../etc/passwd", "model.pt", "weights.safetensors/../x"):
        record = json.loads(json.dumps(dataclasses.asdict(dataclasses.replace(card, files={**card.files, name: {}}))))
        (bundle / cards.FILE).write_text(json.dumps({**record, "digest": cards._digest(record)}))
        assert code_of(bundle) == "bundle_unsafe"


def test_says_what_is_no_bundle(tmp_path):
    assert code_of(tmp_path) == "bundle_not_found"
    assert code_of("no-such-bundle-anywhere") == "bundle_not_found"


def test_a_bundle_without_a_model_is_damaged(bundle):
    (bundle / cards.ONNX).unlink()
    cards.write(cards.read(bundle), bundle)
    assert code_of(bundle) == "bundle_damaged"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no such files")
@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_what_has_no_end_is_not_read(bundle, kind):
    (bundle / cards.ONNX).unlink()
    if kind == "pipe":
        os.mkfifo(bundle / cards.ONNX)
    else:
        (bundle / cards.ONNX).symlink_to("/dev/zero")
    assert code_of(bundle) == "bundle_damaged"


def test_a_file_longer_than_any_model_is_refused(bundle, monkeypatch):
    monkeypatch.setattr("hangtag.predict.bundle.MAX_BYTES", 100)
    assert code_of(bundle) == "bundle_incompatible"
