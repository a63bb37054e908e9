"""A folder of photos, one folder per category, to a model. Run: python examples/your_photos.py my_photos/"""

import sys
from pathlib import Path

import hangtag


def main(photos: Path, out: Path = Path("runs/your_photos"), epochs: int = 10) -> None:
    recipe = hangtag.override(
        hangtag.recipe("fast"),
        ["colour=true", "size=56", "batch_size=64", f"epochs={epochs}", "model.widths=[32,64,128,128]"],
    )
    run = hangtag.train(recipe, data=str(photos), out=out)
    print(f"{run.val_accuracy:.1%} of the photos held out are recognised")
    model = hangtag.load(run.bundle)
    for recognition in model.recognise(photos)[:10]:  # every photo below the folder
        print(recognition)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
