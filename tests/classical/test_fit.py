import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from hangtag import classical
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import ClassicalRecipe, Part
from hangtag.core.types import Split


def split(n=20):
    images = np.random.default_rng(0).integers(0, 256, (n, 8, 8)).astype(np.uint8)
    return Split(images, (np.arange(n) % 2).astype(np.int64), ("a", "b"))


def recipe(name, **options):
    return ClassicalRecipe(name=name, estimator=Part(name, **options))


def test_features_are_pixels_over_255_and_the_pictures_stay_as_they_are():
    images = np.array([[[0, 51], [255, 102]]], np.uint8)
    found = classical.features(images)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.array([[0, 0.2, 1, 0.4]], np.float32))
    assert images.max() == 255


@pytest.mark.parametrize(
    ("name", "options"), [("logistic", {"C": -1.0}), ("svm", {"C": 0.0}), ("knn", {"n_neighbors": 0})]
)
def test_an_option_out_of_range_is_the_users_to_change(name, options):
    with pytest.raises(HangtagError, match=next(iter(options))) as caught:
        classical.fit(recipe(name, **options), split())
    assert caught.value.code == "usage_value"


def test_pictures_too_small_for_gradients_are_refused_with_the_cure():
    with pytest.raises(HangtagError, match="3 cells along a side") as caught:
        classical.fit(recipe("hog_svm"), split())
    assert caught.value.code == "training_failed"


def test_an_unknown_estimator_gets_the_nearest_name():
    with pytest.raises(HangtagError, match="'logistic'"):
        classical.fit(recipe("logistics"), split())


def test_without_scikit_learn_the_extra_is_named_before_any_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(HangtagError, match=r"hangtag\[classical\]") as caught:
        classical.fit(recipe("knn"), split(), lambda text: pytest.fail("work began"))
    assert caught.value.code == "extra_missing"


@pytest.fixture
def _hears_ctrl_c():
    """Whoever starts a program in the background has it ignore Ctrl-C; what it starts inherits that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_hears_ctrl_c")
def test_ctrl_c_is_heard_in_the_middle_of_a_fit(monkeypatch):
    import _thread

    class Endless:
        def fit(self, rows, labels):
            _thread.interrupt_main()
            released.wait()  # as compiled code does, it hears nothing
            ended.append(True)

    released, ended = threading.Event(), []
    monkeypatch.setitem(classical.register._entries, "endless", lambda seed: Endless())
    monkeypatch.setitem(classical.register._facts, "endless", {"onnx": False})
    with pytest.raises(KeyboardInterrupt):
        classical.fit(recipe("endless"), split())
    assert not ended
    released.set()


@pytest.mark.slow
@pytest.mark.usefixtures("_hears_ctrl_c")
def test_a_process_stopped_in_compiled_code_ends_in_order():
    code = (
        "import _thread, atexit, sys, threading, time\n"
        "import numpy as np\n"
        "from hangtag import classical\n"
        "from hangtag.core.recipe import ClassicalRecipe, Part\n"
        "from hangtag.core.types import Split\n"
        "class Endless:\n"
        "    def fit(self, rows, labels):\n"
        "        time.sleep(6000)\n"
        "classical.register('endless', onnx=False)(lambda seed: Endless())\n"
        "split = Split(np.zeros((2, 4, 4), np.uint8), np.arange(2), ('a', 'b'))\n"
        "recipe = ClassicalRecipe(name='endless', estimator=Part('endless'))\n"
        "stop = lambda text: threading.Timer(0.5, _thread.interrupt_main).start()\n"
        "atexit.register(lambda: print('taken apart'))\n"
        "try:\n"
        "    classical.fit(recipe, split, stop)\n"
        "except KeyboardInterrupt:\n"
        "    print('stopped')\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (130, "stopped\n", "")
