"""A bundle with members: each image goes to the member of its kind, and is answered as that member alone answers it."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from hangtag import predict
from hangtag.core.card import Card, digest_of, seal
from hangtag.core.errors import HangtagError
from hangtag.export import members
from hangtag.predict.bundle import open_bundle

NAMES = ("dark", "light", "red")


def saved(image: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, options.pop("format", "PNG"), **options)
    return file.getvalue()


def on_even_ground(side: int) -> np.ndarray:
    image = np.full((side, side), 20, np.uint8)
    image[side // 4 : -side // 4, side // 4 : -side // 4] = 200
    return image


NOISE = np.random.default_rng(0).integers(0, 255, (200, 200, 3)).astype(np.uint8)
KINDS = {
    "grey 28 x 28": (NOISE[:28, :28, 0], "small"),
    "grey 64 x 64 on an even ground": (on_even_ground(64), "small"),
    "grey 64 x 64 of noise": (NOISE[:64, :64, 0], "photos"),
    "grey 65 x 65": (on_even_ground(65), "photos"),
    "colour 28 x 28": (NOISE[:28, :28], "photos"),
    "colour": (NOISE, "photos"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["bytes", "path", "pillow", "array"])
def test_an_image_is_answered_by_the_member_of_its_kind_alone(whole, tmp_path, kind, way):
    image, member = KINDS[kind]
    content = saved(image)
    (tmp_path / "x.png").write_bytes(content)
    source = {"bytes": content, "path": tmp_path / "x.png", "pillow": Image.fromarray(image), "array": image}[way]
    found = predict.load(whole).recognise(source)
    assert found.member == member
    alone = predict.load(whole / member).recognise(source)
    assert alone.member is None
    assert found.to_dict() == {**alone.to_dict(), "member": member}
    assert (found.pixels == alone.pixels).all()


def test_several_images_of_both_kinds_keep_their_order(whole):
    recogniser = predict.load(whole)
    images = [image for _ in range(40) for image, _ in KINDS.values()]
    found = recogniser.recognise(images)
    assert [one.member for one in found] == [member for _ in range(40) for _, member in KINDS.values()]
    assert [one.label for one in found] == [recogniser.recognise(image).label for image in images]


def test_arrays_of_a_members_own_shape_are_predicted_by_it(whole):
    recogniser = predict.load(whole)
    grey, colour = NOISE[None, :28, :28, 0], NOISE[None, :48, :48]
    assert (recogniser.predict_proba(grey) == predict.load(whole / "small").predict_proba(grey)).all()
    assert (recogniser.predict_proba(colour) == predict.load(whole / "photos").predict_proba(colour)).all()
    with pytest.raises(HangtagError, match="N x 28 x 28 or N x 48 x 48 x 3") as caught:
        recogniser.predict_proba(np.zeros((1, 30, 30), np.uint8))
    assert caught.value.code == "image_shape"


def test_members_of_a_bundle_that_can_be_called_by_name_can_be_too(whole, tmp_path, monkeypatch):
    (tmp_path / "named").mkdir()
    whole.rename(tmp_path / "named" / "both")
    monkeypatch.setenv("HANGTAG_WEIGHTS", str(tmp_path / "named"))
    assert predict.load("both").card.members.keys() == {"small", "photos"}
    assert predict.load("photos").card.size == 48


@pytest.mark.parametrize("file", ["card.json", "small/card.json", "small/model.onnx", "photos/model.onnx"])
def test_a_byte_changed_anywhere_is_noticed(whole, file):
    content = bytearray((whole / file).read_bytes())
    content[len(content) // 2] ^= 1
    (whole / file).write_bytes(content)
    with pytest.raises(HangtagError) as caught:
        predict.load(whole)
    assert caught.value.code in ("bundle_damaged", "bundle_unsafe")


def test_a_member_that_is_gone_or_another_is_noticed(whole):
    (whole / "small" / "card.json").write_bytes((whole / "photos" / "card.json").read_bytes())
    with pytest.raises(HangtagError, match="is not the card"):
        open_bundle(whole)
    (whole / "small" / "card.json").unlink()
    with pytest.raises(HangtagError, match="cannot be read"):
        open_bundle(whole)


@pytest.mark.parametrize("name", ["../a", "A", "", "a/b", "."])
def test_a_name_that_is_a_path_is_refused(whole, tmp_path, name):
    part = open_bundle(whole / "small")
    with pytest.raises(HangtagError) as caught:
        members.write("x", {name: part}, tmp_path / "other")
    assert caught.value.code == "usage_value"
    card = Card(name="x", class_names=NAMES, size=28, colour=False, members={name: {"sha256": "0", "bytes": 1}})
    (tmp_path / "evil").mkdir()
    seal(card, tmp_path / "evil", {})
    with pytest.raises(HangtagError) as caught:
        open_bundle(tmp_path / "evil")
    assert caught.value.code == "bundle_unsafe"


def test_members_that_cannot_be_one_replace_nothing(whole, make_member):
    before = digest_of(open_bundle(whole).card)
    other = make_member("c", 48, True, class_names=("a", "b", "c"))
    for parts in ({"small": open_bundle(whole / "small"), "photos": other}, {"photos": other, "small": other}):
        with pytest.raises(HangtagError) as caught:
            members.write("x", parts, whole)
        assert caught.value.code == "bundle_incompatible"
    assert digest_of(open_bundle(whole).card) == before


def test_a_card_without_members_is_written_as_before(whole):
    assert json.loads((whole / "small" / "card.json").read_text())["format"] == 2
    assert "members" not in json.loads((whole / "small" / "card.json").read_text())
    assert json.loads((whole / "card.json").read_text())["format"] == 3


@pytest.fixture
def strict(tmp_path, make_member):
    """Its photo member says how known an image is (how light), and its card from where on that is enough."""
    decision = {"curve": [[0.5, 0.9, 0.99], [0.0, 1.0, 0.9]], "n": 100, "data": "x", "known": 0.2}
    photos = make_member("b", 48, True, known=True, decision=decision)
    members.write("both", {"small": make_member("a", 28, False), "photos": photos}, tmp_path / "strict")
    return tmp_path / "strict"


@pytest.mark.parametrize("way", ["photo", "grey 28 x 28"])
def test_each_member_decides_by_its_own_card(strict, way):
    dark, light = ((NOISE // divisor) if way == "photo" else (NOISE[:28, :28, 0] // divisor) for divisor in (8, 1))
    found = predict.load(strict).recognise([dark, light])
    if way == "photo":
        assert [one.status for one in found] == ["none_of_these", "accept"]
        assert found[0].known == pytest.approx(found[0].pixels.mean() / 255, abs=1e-6)
        assert found[0].to_dict()["known"] == found[0].known
        assert "below 20.0%" in found[0].why
        assert "none of these" in str(found[0])
        assert "none of these" in found[0]._repr_html_()
    else:
        assert [one.known for one in found] == [None, None]
        assert "known" not in found[0].to_dict()
        assert "no threshold was measured" in found[0].why


def test_the_accuracy_to_accept_at_can_be_stated_for_one_call(strict):
    recogniser = predict.load(strict / "photos")
    image = np.concatenate([NOISE[..., :1] // 2 + 20] * 3, axis=2) // np.array([1, 1, 2], np.uint8)
    found = {at: recogniser.recognise(image, accept_at=at).status for at in (None, 0.9, 0.999)}
    assert recogniser.recognise(image).known > 0.2
    assert found[0.9] == "accept"
    assert found[0.999] == "unsure"
    assert found[None] == recogniser.recognise(image).status
