"""Algorithms without gradient descent, one per file: functions `(seed, *, options...) -> scikit-learn estimator`.

The estimator takes (N, size*size) or (N, size*size*3) float32 in [0, 1] and has `predict_proba`. Options are called as
scikit-learn calls them. Facts given to the decorator: `onnx=False` where no exact ONNX form of bearable size exists;
such a model is for comparison only.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hangtag.core.errors import INTERRUPTED, HangtagError
from hangtag.core.optional import require
from hangtag.core.recipe import ClassicalRecipe
from hangtag.core.registry import Registry
from hangtag.core.seeds import derive
from hangtag.core.types import Pictures, Split

register: Registry[Callable[..., Any]] = Registry("estimator", __name__)


def features(images: Pictures) -> NDArray[np.float32]:
    """(N, H, W) or (N, H, W, 3) uint8 -> (N, H*W) or (N, H*W*3) in [0, 1]."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    flat /= 255  # in place: 60,000 pictures are 188 MB
    return flat


def create(recipe: ClassicalRecipe) -> Any:
    """The estimator of `recipe`, not yet fitted.

    Raises:
        HangtagError: `extra_missing` without scikit-learn; `usage_*` for an unknown name or option, or for class
            weights of an algorithm that has none.
    """
    require("sklearn", extra="classical")
    maker = register.get(recipe.estimator.name)
    estimator = recipe.estimator.call(maker, derive(recipe.seed, "estimator") % 2**32)
    if recipe.class_weights is not None:
        classifier = estimator[-1] if hasattr(estimator, "steps") else estimator
        if "class_weight" not in classifier.get_params():
            raise HangtagError("usage_value", f"{recipe.estimator.name} takes no class_weights: leave them out")
        classifier.set_params(class_weight=recipe.class_weights)
    return estimator


def fit(recipe: ClassicalRecipe, training: Split, message: Callable[[str], None] = lambda text: None) -> Any:
    """The estimator of `recipe`, fitted to `training`.

    Ctrl-C is heard at once, though the fit itself, which is compiled code, then runs on unheard until the process ends.

    Raises:
        HangtagError: what `create` raises; `usage_value` for an option out of range; `data_count` if a class has no
            picture; `training_failed` if the algorithm cannot learn from these pictures.
        KeyboardInterrupt: on Ctrl-C.
    """
    estimator = create(recipe)
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils._param_validation import InvalidParameterError

    if lacking := [name for name, count in training.counts().items() if not count]:
        raise HangtagError("data_count", f"{recipe.name} has no picture of {lacking[0]!r} to learn from: add some")
    message(f"fitting {recipe.name} to {len(training):,} pictures")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # an iteration limit is a setting, not a failure
            _interruptible(lambda: estimator.fit(features(training.images), training.labels))
        estimator.predict_proba(features(training.images[:1]))  # five neighbours of three pictures fail only now
        return estimator
    except InvalidParameterError as error:
        raise HangtagError("usage_value", f"recipe {recipe.name!r}: {_one_line(error)}") from error
    except ValueError as error:
        raise HangtagError(
            "training_failed", f"{recipe.name} cannot learn from these pictures: {_one_line(error)}"
        ) from error


def _interruptible(work: Callable[[], Any]) -> Any:
    """`work()` in a thread of its own: Python hears a signal only between two of its own instructions."""
    outcome: list[Any] = []
    failure: list[BaseException] = []
    done = threading.Event()  # an interrupted Thread.join counts the thread as ended, up to Python 3.12

    def target() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            failure.append(error)
        finally:
            done.set()

    threading.Thread(target=target, daemon=True).start()
    try:
        while not done.wait(0.2):  # Windows does not interrupt an endless wait
            pass
    except KeyboardInterrupt:
        atexit.register(_leave, done)
        raise
    if failure:
        raise failure[0]
    return outcome[0]


def _leave(done: threading.Event) -> None:
    """End the process as it is while compiled code still runs: taken apart around that code, it would crash."""
    if not done.is_set():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(INTERRUPTED)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
