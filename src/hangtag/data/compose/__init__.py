"""Photos that nobody took: garments cut out of photos, or of Fashion-MNIST, on other backgrounds and on drawn people.

A shop's photos show garments on people; free photos of garments show them on floors and hangers. Each module is one
step: cut_outs (photo -> garment), cloth (grey image -> coloured garment), scenes (backgrounds, garments on them),
people (drawn heads and limbs), worn (a garment on a person), non_products (images of none of the classes), camera (what
lenses, files and hands do to an image). Everything random comes from the generator that is passed in.

Canvases and garments are floats in [0, 1]: a canvas is (H, W, 3), a garment (h, w, 4) with its opacity last.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Canvas: TypeAlias = NDArray[np.floating[Any]]
"""(H, W, 3) in [0, 1]. Drawing changes it in place."""
Garment: TypeAlias = NDArray[np.floating[Any]]
"""(h, w, 4) in [0, 1]: red, green, blue and opacity, trimmed to what is there."""
Colour: TypeAlias = NDArray[np.float64]
"""(3,) in [0, 1]."""
