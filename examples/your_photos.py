"""Your own categories: a folder with a folder of photos for each becomes a model that tells them apart.

    python examples/your_photos.py my_photos/

    my_photos/
      mugs/    one.jpg two.png ...
      plates/  ...

Without a folder to read, it draws one: trousers and bags in colour, one of them broken.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import hangtag
from hangtag.experiment import Watch


def main(photos: Path, out: Path = Path("runs/your_photos")) -> None:
    """Train on a folder, then recognise a picture of it."""
    recipe = replace(hangtag.recipe("lenet5"), size=32, colour=True, batch_size=16, epochs=12)
    run = hangtag.train(recipe, data=str(photos), out=out, watch=Watch(message=print))
    print(f"validation accuracy {run.val_accuracy:.0%}; the model lies in {run.bundle}")

    evaluation = hangtag.evaluate(run.bundle, data=str(photos))  # a tenth of the photos was never trained on
    print(f"on {evaluation.n} photos it had not seen: {evaluation.accuracy:.0%}")

    model = hangtag.load(run.bundle)
    for recognition in model.recognise(photos):  # every picture below the folder; those that are broken have an error
        if recognition.error is None:
            print(f"{Path(str(recognition.path)).name} is {recognition.label}, {recognition.confidence:.0%} sure")
            break


def draw(folder: Path) -> Path:
    """A folder of class folders, where you have none at hand."""
    from PIL import Image

    from hangtag.data.sets import drawn

    some = drawn.pictures(400, seed=5, size=48, colour=True)
    for name in ("Trouser", "Bag"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for i, (image, label) in enumerate(zip(some.images, some.labels, strict=True)):
        if (name := some.class_names[label]) in ("Trouser", "Bag"):
            Image.fromarray(255 - image).save(folder / name / f"{i}.png")  # photos show things on white
    (folder / "Bag" / "broken.png").write_bytes(b"")
    return folder


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else draw(Path("runs/drawn_photos")))
