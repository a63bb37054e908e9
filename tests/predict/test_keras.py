"""On the real Keras, where the extra is installed."""

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
