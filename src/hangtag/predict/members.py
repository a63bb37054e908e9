"""Several models as one: each image goes to the one that was trained on its kind."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.types import Pictures, Predictor, Probabilities
from hangtag.predict.known import Known, predict_known


class Members:
    """A Predictor over the members of a bundle, which take images of different shapes.

    Args:
        predictors: by name; the first is the bundle's own face: its classes, its size.
        cards: of the same names.

    Raises:
        HangtagError: `bundle_incompatible` if the members are not one for small grey images and one for colour photos
            of the same classes.
    """

    def __init__(self, predictors: Mapping[str, Predictor], cards: Mapping[str, Card]) -> None:
        kinds = [(card.colour, card.class_names) for card in cards.values()]
        if [colour for colour, _ in kinds] != [False, True] or kinds[0][1] != kinds[1][1]:
            raise HangtagError(
                "bundle_incompatible",
                "the members of a bundle are a grey model and a colour model of the same classes, in this order: "
                f"not {', '.join(cards)}",
            )
        self._predictors = dict(predictors)
        self._of_shape = {card.image_shape: name for name, card in cards.items()}
        self.cards = dict(cards)
        self.photo_size = [*cards.values()][1].size

    @property
    def class_names(self) -> tuple[str, ...]:
        """K names, in the order of the columns."""
        return next(iter(self._predictors.values())).class_names

    def predict_proba(self, images: Pictures) -> Probabilities:
        """(N, H, W) or (N, H, W, 3) uint8 of a member's size -> (N, K) float32, by that member.

        Raises:
            HangtagError: `image_shape` if no member takes images of this shape; what the member raises.
        """
        return self.predict_known(images)[0]

    def predict_known(self, images: Pictures) -> tuple[Probabilities, Known]:
        """`predict_proba`, and how known each image is to that member; raises as that does."""
        images = np.asarray(images)
        name = self.member_of(images.shape[1:])
        if name is None:
            wanted = " or ".join(" x ".join(map(str, ("N", *shape))) for shape in self._of_shape)
            raise HangtagError("image_shape", f"this model takes uint8 {wanted}, not {images.dtype} {images.shape}")
        return predict_known(self._predictors[name], images)

    def member_of(self, shape: tuple[int, ...]) -> str | None:
        """The name of the member that takes images of this shape, (H, W) or (H, W, 3), if there is one."""
        return self._of_shape.get(tuple(shape))
