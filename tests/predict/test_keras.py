"""On the real Keras, where the extra is installed."""

import io
import zipfile

import numpy as np
import pytest

pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")

from hangtag.core.errors import HangtagError  # noqa: E402
from hangtag.predict.foreign import fitted, read  # noqa: E402

pytestmark = pytest.mark.slow  # TensorFlow takes seconds to load


def save(path, shape, *layers):
    model = keras.Sequential([keras.Input(shape), *layers, keras.layers.Flatten(), keras.layers.Dense(10)])
    model.save(path)
    return model


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (1, 28, 28), (784,)])
def test_answers_as_keras_itself_does(tmp_path, shape):
    model = save(tmp_path / "m.keras", shape)
    pictures = np.random.default_rng(0).random((7, 28, 28)).astype(np.float32)
    mine = read(tmp_path / "m.keras")
    np.testing.assert_allclose(mine.answer(pictures), model.predict(pictures.reshape(7, *shape), verbose=0), atol=1e-5)
    assert (mine.size, mine.params) == (28, 7850)


def test_is_read_like_any_foreign_model(tmp_path):
    save(tmp_path / "m.keras", (28, 28), keras.layers.Rescaling(1 / 255))
    images = np.random.default_rng(0).integers(0, 256, (50, 28, 28)).astype(np.uint8)
    predictor, tried = fitted(read(tmp_path / "m.keras"), images, np.arange(50) % 10, tuple("abcdefghij"))
    assert tried.logits
    np.testing.assert_allclose(predictor.predict_proba(images).sum(axis=1), 1, atol=1e-5)


def test_weights_whose_groups_hold_themselves_end(tmp_path):
    h5py = pytest.importorskip("h5py")
    save(tmp_path / "m.keras", (28, 28))
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    weights = io.BytesIO(members["model.weights.h5"])
    with h5py.File(weights, "a") as file:
        file["layers/loop"] = file["layers"]
        file["layers/again"] = file["layers"]
    members["model.weights.h5"] = weights.getvalue()
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert read(tmp_path / "m.keras").size == 28


def test_a_lambda_is_refused(tmp_path):
    save(tmp_path / "m.keras", (28, 28), keras.layers.Lambda(lambda x: x / 255))
    with pytest.raises(HangtagError) as caught:
        read(tmp_path / "m.keras")
    assert caught.value.code == "bundle_unsafe"


def test_other_shapes_say_so(tmp_path):
    save(tmp_path / "m.keras", (32, 32, 3))
    with pytest.raises(HangtagError, match="not square grey pictures") as caught:
        read(tmp_path / "m.keras")
    assert caught.value.code == "bundle_incompatible"
