"""Any picture in any form gives one and the same label, and a bad one spoils nobody else's."""

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import hangtag.predict
from hangtag.core import card as cards
from hangtag.core.errors import HangtagError
from hangtag.core.types import Predictor
from hangtag.predict.recogniser import BATCH, Recogniser, Recognition, Recognitions
from hangtag.preprocess import decoder


@pytest.fixture
def recogniser(bundle) -> Recogniser:
    return hangtag.predict.load(bundle)


@pytest.fixture(scope="module", autouse=True)
def _end_children():
    yield
    decoder.shared().close()


def pixels(seed: int = 0, shape: tuple[int, ...] = (28, 28)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def test_what_is_loaded_is_a_predictor_too(recogniser):
    assert isinstance(recogniser, Predictor)
    assert recogniser.predict_proba(pixels()[None]).shape == (1, 10)
    assert repr(recogniser).startswith("<Recogniser 'tiny': 28 x 28 grey, T-shirt/top, Trouser")


@pytest.mark.parametrize("shape", [(28, 28), (60, 44), (60, 44, 3)])
def test_every_form_of_a_picture_gives_the_same_answer(recogniser, tmp_path, shape):
    array = pixels(1, shape)
    path = tmp_path / "a.png"
    path.write_bytes(png(array))
    forms = [array, array.astype(int), Image.fromarray(array), png(array), bytearray(png(array)), path, str(path)]
    answers = [recogniser.recognise(form) for form in forms]
    assert len({answer.top for answer in answers}) == 1
    assert [answer.path for answer in answers] == [None] * 5 + [str(path)] * 2


def test_takes_tensors_of_other_libraries(recogniser):
    torch = pytest.importorskip("torch")
    several = pixels(1, (5, 28, 28))
    tensor = torch.from_numpy(several)
    wanted = [answer.top for answer in recogniser.recognise(several)]
    assert [answer.top for answer in recogniser.recognise(tensor)] == wanted
    assert [answer.top for answer in recogniser.recognise(list(tensor))] == wanted
    assert recogniser.recognise(tensor[0]).top == wanted[0]
    assert "no fixed range" in str(recogniser.recognise(tensor[0] / 255))
    with pytest.raises(HangtagError, match=r"Tensor cannot be read as an array: .*detach"):
        recogniser.recognise(torch.zeros(28, 28, requires_grad=True))


@pytest.mark.parametrize("array", [np.array("a.png"), np.full((4, 4), None), np.datetime64("2026-11-28")])
def test_arrays_of_something_else_are_refused(recogniser, array):
    with pytest.raises(HangtagError, match="a picture is a path"):
        recogniser.recognise(array)


def test_an_array_of_paths_is_several_pictures(recogniser, tmp_path):
    (tmp_path / "a.png").write_bytes(png(pixels(1)))
    column = np.array([str(tmp_path / "a.png")] * 2, dtype=object)
    assert [answer.path for answer in recogniser.recognise(column)] == list(column)


def test_a_large_photo_is_the_same_picture_however_it_is_given(recogniser):
    """Noise that averaging takes away would else decide where the background ends."""
    array = np.random.default_rng(0).normal(200, 3, (1000, 1400)).clip(0, 255).astype(np.uint8)
    array[300:700, 500:850] = 40
    forms = [png(array), array, Image.fromarray(array), np.repeat(array[..., None], 3, axis=2), array[..., None]]
    seen = [recogniser.recognise(form).pixels for form in forms]
    assert all(np.array_equal(pixels, seen[0]) for pixels in seen)
    assert (seen[0] > 100).any(axis=1).sum() == 28


def test_a_grey_picture_in_three_channels_or_one_passes_unchanged(recogniser):
    grey = pixels(3)
    for form in (np.repeat(grey[..., None], 3, axis=2), grey[..., None]):
        assert np.array_equal(recogniser.recognise(form).pixels, grey)
    several = recogniser.recognise(np.stack([pixels(1), pixels(2)])[..., None])
    assert [item.top for item in several] == [recogniser.recognise(pixels(seed)).top for seed in (1, 2)]


def test_of_an_animation_it_is_told_how_much_was_not_looked_at(recogniser):
    frames = [Image.fromarray(pixels(seed)) for seed in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    answer = recogniser.recognise(file.getvalue())
    assert answer.top == recogniser.recognise(pixels(0)).top
    assert answer.to_dict()["frames_ignored"] == 2
    assert "frames_ignored" not in recogniser.recognise(pixels(0)).to_dict()


def test_a_picture_of_the_models_size_is_judged_as_the_model_judges_it(recogniser):
    answer = recogniser.recognise(pixels(), top=10)
    row = recogniser.predict_proba(pixels()[None])[0]
    assert answer.label == recogniser.class_names[row.argmax()]
    assert answer.confidence == pytest.approx(row.max(), abs=1e-6)
    assert answer.top == tuple(sorted(answer.top, key=lambda pair: -pair[1]))
    assert {label for label, _ in answer.top} == set(recogniser.class_names)
    assert np.array_equal(answer.pixels, pixels())


def test_several_pictures_come_back_in_order(recogniser, tmp_path):
    (tmp_path / "b.png").write_bytes(png(pixels(2)))
    several = recogniser.recognise([pixels(1), tmp_path / "b.png", png(pixels(3))])
    assert isinstance(several, Recognitions)
    assert [item.top for item in several] == [recogniser.recognise(pixels(seed)).top for seed in (1, 2, 3)]
    assert several[1:][0] == several[1]
    assert [item.top for item in recogniser.recognise(np.stack([pixels(1), pixels(2)]))] == [
        item.top for item in several[:2]
    ]
    assert [item.path for item in recogniser.recognise(tmp_path)] == [str(tmp_path / "b.png")]
    assert len(recogniser.recognise([])) == 0


def test_a_bad_picture_has_an_error_and_the_others_a_label(recogniser, tmp_path):
    bad = [
        b"",
        b"<html>",
        png(pixels())[:50],
        tmp_path / "none.png",
        np.zeros((5, 5)),
        np.zeros((2, 2, 2, 2, 2), np.uint8),
    ]
    answers = recogniser.recognise([item for pair in zip(bad, [pixels()] * len(bad), strict=True) for item in pair])
    assert [answer.error.code for answer in answers[::2]] == [
        "image_empty",
        "image_unsupported",
        "image_truncated",
        "image_not_found",
        "image_shape",
        "image_shape",
    ]
    assert all(answer.label and not answer.error for answer in answers[1::2])
    assert all(answer.label is None and answer.top == () for answer in answers[::2])


def test_a_thousand_pictures_of_which_some_are_broken(recogniser, tmp_path):
    good, cut = png(pixels()), png(pixels())[:99]
    for number in range(1000):
        (tmp_path / f"{number:04}.png").write_bytes(cut if number % 10 == 3 else good)
    answers = recogniser.recognise(tmp_path)
    assert [Path(answer.path).name for answer in answers if answer.error] == [f"{n:04}.png" for n in range(3, 1000, 10)]
    assert len({answer.top for answer in answers if not answer.error}) == 1


def test_holds_two_batches_at_most(recogniser):
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield pixels()

    answers = recogniser.stream(endless())
    next(answers)
    assert taken == 2 * BATCH
    answers.close()


def test_refuses_what_is_no_kind_of_picture(recogniser):
    with pytest.raises(HangtagError, match="a picture is a path, bytes"):
        recogniser.recognise(7)


@pytest.mark.parametrize("name", [None, 7])
def test_refuses_to_load_what_is_no_name(name):
    with pytest.raises(HangtagError, match="loaded by its name or its folder"):
        hangtag.predict.load(name)


def test_takes_colour_where_the_model_does(make_bundle):
    recogniser = hangtag.predict.load(make_bundle("colour", size=32, colour=True))
    array = pixels(0, (32, 32, 3))
    assert recogniser.recognise(png(array)).top == recogniser.recognise(array).top
    assert np.array_equal(recogniser.recognise(png(array)).pixels, array)


def test_turns_a_photo_upright_once(recogniser):
    array = pixels(0, (60, 44))
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(np.rot90(array)).save(file, "PNG", exif=exif)  # held sideways
    upright = recogniser.recognise(array).top
    assert recogniser.recognise(file.getvalue()).top == upright
    assert recogniser.recognise(Image.open(file)).top == upright


TOP = (("Shirt", 0.7), ("T-shirt/top", 0.2))
GOOD = Recognition("a<b>.jpg", "Shirt", 0.7, TOP, pixels=pixels(), status="unsure", why="for a reason")
BAD = Recognition("b.jpg", None, 0.0, error=HangtagError("image_empty", "the file is <empty>"))


def test_is_recorded_as_promised():
    assert GOOD.to_dict() == {
        "path": "a<b>.jpg",
        "label": "Shirt",
        "confidence": 0.7,
        "top": [{"label": "Shirt", "confidence": 0.7}, {"label": "T-shirt/top", "confidence": 0.2}],
        "error": None,
        "status": "unsure",
        "why": "for a reason",
    }
    assert BAD.to_dict() == {
        "path": "b.jpg",
        "label": None,
        "confidence": None,
        "top": [],
        "error": {"code": "image_empty", "message": "the file is <empty>"},
        "status": None,
        "why": "",
    }


def test_prints_well():
    assert str(GOOD) == "a<b>.jpg: Shirt 70.0%, unsure (then T-shirt/top 20.0%)"
    assert str(BAD) == "b.jpg: not recognised: the file is <empty>"
    assert repr(Recognitions([GOOD] * 25)).splitlines()[0] == "<25 recognitions>"
    assert repr(Recognitions([GOOD] * 25)).splitlines()[-1] == "... and 5 more"


def test_shows_in_a_notebook_with_every_name_escaped():
    page = Recognitions([GOOD, BAD])._repr_html_()
    assert "a&lt;b&gt;.jpg" in page
    assert "&lt;empty&gt;" in page
    assert "data:image/png;base64," in page
    assert "<b>Shirt</b>" in GOOD._repr_html_()


@pytest.mark.real
@pytest.mark.slow
def test_ten_thousand_pngs_give_exactly_evaluates_accuracy(make_bundle, tmp_path):
    from hangtag import data
    from hangtag.evaluation import evaluate_bundle

    bundle = make_bundle("tiny", seed=1)
    split = data.find().test()
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, image in enumerate(split.images):
        Image.fromarray(image).save(folder / f"{number:05}.png", compress_level=1)
    recogniser = hangtag.predict.load(bundle)
    answers = list(recogniser.stream(sorted(folder.iterdir())))
    right = [answer.label == split.class_names[label] for answer, label in zip(answers, split.labels, strict=True)]
    assert np.mean(right) == evaluate_bundle(recogniser, "fashion-mnist").accuracy


def boot(size: int = 28) -> np.ndarray:
    """Something light on black."""
    array = np.zeros((size, size), np.uint8)
    array[:, size // 3 : size // 2] = np.random.default_rng(0).integers(90, 256, (size, size // 2 - size // 3))
    return array


def test_a_dark_item_on_white_is_seen_as_the_light_one_on_black_in_every_form(recogniser, tmp_path):
    negated = 255 - boot()
    (tmp_path / "a.png").write_bytes(png(negated))
    forms = [negated, negated[None], negated[..., None], Image.fromarray(negated), png(negated), tmp_path / "a.png"]
    for form in forms:
        found = recogniser.recognise(form)
        found = found if isinstance(found, Recognition) else found[0]
        assert np.array_equal(found.pixels, boot())


def test_a_model_of_dark_items_on_white_sees_them_as_they_are(make_bundle):
    folder = make_bundle("light")
    card = dataclasses.replace(cards.read(folder), normalise={"mean": [0.7], "std": [0.3]})
    cards.write(card, folder)
    negated = 255 - boot()
    for form in (negated, png(negated)):
        assert np.array_equal(hangtag.predict.load(folder).recognise(form).pixels, negated)


def test_open_files_are_one_picture_each(recogniser, tmp_path):
    (tmp_path / "a.png").write_bytes(png(pixels(1)))
    wanted = recogniser.recognise(pixels(1)).top
    assert recogniser.recognise(io.BytesIO(png(pixels(1)))).top == wanted
    with (tmp_path / "a.png").open("rb") as file:
        assert recogniser.recognise(file).top == wanted
    several = recogniser.recognise([io.BytesIO(png(pixels(1))), io.StringIO("text"), io.BytesIO(), pixels(1)])
    assert [item.error and item.error.code for item in several] == [None, "image_unreadable", "image_empty", None]
    assert [item.top for item in several[::3]] == [wanted] * 2
    assert len(recogniser.recognise(io.BytesIO(png(pixels(seed))) for seed in range(3))) == 3


def test_a_file_given_twice_is_read_once(recogniser):
    file = io.BytesIO(png(pixels(1)))
    first, second = recogniser.recognise([file, file])
    assert first.label is not None
    assert "read before" in second.error.message


def test_grey_with_alpha_is_laid_on_white(recogniser):
    alpha = np.where(boot(60) > 0, 255, 0).astype(np.uint8)
    black = np.zeros((60, 60), np.uint8)
    found = recogniser.recognise(np.dstack([black, alpha]))
    flat = recogniser.recognise(np.where(alpha > 0, 0, 255).astype(np.uint8))
    assert isinstance(found, Recognition)
    assert np.array_equal(found.pixels, flat.pixels)
    assert len(recogniser.recognise(np.stack([np.dstack([black, alpha])] * 5))) == 5


@pytest.mark.parametrize("shape", [(5, 784), (784,), (3, 60, 40), (5, 3, 60, 40)])
def test_an_array_that_can_be_read_in_two_ways_is_refused(recogniser, shape):
    with pytest.raises(HangtagError, match="write array") as caught:
        recogniser.recognise(np.zeros(shape, np.uint8))
    assert caught.value.code == "image_shape"


def test_an_empty_path_is_not_the_current_folder(recogniser, tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(png(pixels(1)))
    monkeypatch.chdir(tmp_path)
    assert recogniser.recognise("").error.message == "the path is empty"
    assert len(recogniser.recognise(".")) == 1
    assert len(recogniser.recognise(np.zeros((0, 28, 28), np.uint8))) == 0


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_picture_of_nothing_has_no_label_in_any_form(recogniser, value):
    for shape in ((28, 28), (60, 44)):
        array = np.full(shape, value, np.uint8)
        for form in (array, Image.fromarray(array), png(array), png(np.dstack([array] * 3 + [array * 0]))):
            found = recogniser.recognise(form)
            assert (found.label, found.confidence, found.error.code) == (None, 0.0, "image_blank")


def test_an_address_is_not_fetched(recogniser):
    found = recogniser.recognise(["https://x.org/y.jpg", pixels(1)])
    assert found[0].path == "https://x.org/y.jpg"
    assert found[0].error.code == "image_address"
    assert found[1].label


@pytest.mark.parametrize(
    ("shape", "cure"),
    [
        ((784, 1), r"array\.T\.reshape\(-1, 28, 28\)"),
        ((784, 6), r"array\.T\.reshape\(-1, 28, 28\)"),
        ((28, 28, 64), r"transpose\(2, 0, 1\)"),
        ((340, 340, 5), r"transpose\(2, 0, 1\)"),
        ((300, 200, 7), r"transpose\(2, 0, 1\)"),
    ],
)
def test_images_along_the_last_axis_are_refused_with_what_to_write(recogniser, shape, cure):
    with pytest.raises(HangtagError, match=cure):
        recogniser.recognise(np.zeros(shape, np.uint8))


def test_numbers_rows_of_them_and_mappings_are_refused_as_a_whole(recogniser):
    for source in (pixels().tolist(), [5, 6], range(3)):
        with pytest.raises(HangtagError, match=r"numpy\.array\(rows, 'uint8'\)"):
            recogniser.recognise(source)
    with pytest.raises(HangtagError, match="give its values"):
        recogniser.recognise({"a": pixels()})
    assert len(recogniser.recognise([pixels().tolist()] * 2)) == 2
    missing, found = recogniser.recognise([None, pixels()])
    assert "not <class 'NoneType'>" in str(missing)
    assert found.label


def test_an_array_of_objects_is_refused_by_its_kind(recogniser):
    with pytest.raises(HangtagError, match="not an array of object"):
        recogniser.recognise(pixels().astype(object))


def test_a_file_that_gives_a_part_at_a_time_is_read_to_its_end(recogniser):
    class Dripping(io.RawIOBase):
        def __init__(self, content):
            self.rest = content

        def readable(self):
            return True

        def readinto(self, buffer):
            part, self.rest = self.rest[:100], self.rest[100:]
            buffer[: len(part)] = part
            return len(part)

    assert recogniser.recognise(Dripping(png(pixels()))).top == recogniser.recognise(pixels()).top


def test_an_answer_is_accepted_from_the_threshold_its_card_holds_for_the_accuracy_stated():
    curve = [[0.99, 0.5, 0.999], [0.6, 0.9, 0.985], [0.0, 1.0, 0.9]]
    given = hangtag.predict.load()
    recogniser = Recogniser(
        given.predictor, dataclasses.replace(given.card, decision={"n": 1000, "data": "x", "curve": curve})
    )
    image = pixels(0)
    found = {accept_at: recogniser.accepting(accept_at).recognise(image) for accept_at in (0.9, 0.98, 0.9999)}
    confidence = found[0.9].confidence
    assert [one.status for one in found.values()] == ["accept", "accept" if confidence >= 0.6 else "unsure", "unsure"]
    assert recogniser.recognise(image).status == found[0.98].status
    assert all(one.why.endswith(".") for one in found.values())
    with pytest.raises(HangtagError) as caught:
        given.accepting(0.9)
    assert caught.value.code == "usage_value"
