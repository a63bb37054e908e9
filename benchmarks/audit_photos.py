"""Does the audit find copies of photos, and nothing else? Copies are made of 60 photos of a folder, then looked for.

Run: python benchmarks/audit_photos.py --data FOLDER (needs hangtag alone; two minutes on one core for 3,400 photos)
The audit's limits were chosen on copies of other photos of clothing-small/train (seed 5).
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import time
from collections.abc import Callable

import numpy as np
from _record import Record, at_least, at_most, console, spread
from PIL import Image, ImageEnhance, ImageOps

from hangtag import data
from hangtag.audit.odd_pictures import odd_photos
from hangtag.audit.photos import SIDE, Sketches, read, sketch
from hangtag.audit.same_photos import same_photos
from hangtag.core.types import PhotoFiles
from hangtag.preprocess.decode import decode
from hangtag.preprocess.photo import convert

COPIED = 60
Photo = Image.Image


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", required=True, help="a folder of class folders")
    parser.add_argument("--seeds", default="6,7,8")
    parser.add_argument("--quick", action="store_true", help="one seed; writes to runs/")
    options = parser.parse_args()
    seeds = [6] if options.quick else [int(seed) for seed in options.seeds.split(",")]
    record = Record("audit-photos", "Does the audit find copies of photos, and nothing else?", quick=options.quick)
    files = data.find(options.data).photos["training"]()
    began = time.perf_counter()
    split, photos = read(files, lambda what, done, total: None)
    read_s = time.perf_counter() - began
    began = time.perf_counter()
    pairs = [
        (split.sources[pair.first], split.sources[pair.second], pair.relation, pair.distance)
        for pair in same_photos(photos)
    ]
    compared_s = time.perf_counter() - began
    odd = [(split.sources[photo.index], photo.reason) for photo in odd_photos(photos, split.labels)]
    for line in (*pairs, *odd):
        console.print(line)
    measurements = [{"seed": seed, **copies(files, split.sources, photos, seed)} for seed in seeds]
    found = {name: [m["found"][name] for m in measurements] for name in CHANGES}
    console.print(found)
    record.write(
        seeds=seeds,
        n=len(split),
        measurements=[*measurements, {"pairs": pairs, "odd": odd}],
        summary={
            **{f"{name}_found_of_{COPIED}": spread(values) for name, values in found.items()},
            "read_seconds": read_s,
            "compared_seconds": compared_s,
            "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
        },
        targets=[
            *(
                at_least(f"{name} copies found of {COPIED}, worst seed", min(values), 50)
                for name, values in found.items()
            ),
            at_most("other photos taken for the original, all copies", max(m["others"] for m in measurements), 0),
        ],
    )


def copies(files: PhotoFiles, sources: tuple[str, ...], photos: Sketches, seed: int) -> dict[str, object]:
    """Of each way to copy a photo, how many of 60 copies are found; and how often another photo is taken for it."""
    chosen = random.Random(seed).sample(range(len(sources)), COPIED)
    originals = [Image.open(files.root / sources[i]).convert("RGB") for i in chosen]
    found, others = {}, 0
    for name, change in CHANGES.items():
        contents = [change(original) for original in originals]
        pixels = np.stack([convert(decode(content), SIDE, colour=True) for content in contents])
        sizes = np.array([Image.open(io.BytesIO(content)).size[::-1] for content in contents])
        hits = [pair.second == chosen[pair.first] for pair in same_photos(sketch(pixels, sizes), photos)]
        found[name], others = sum(hits), others + len(hits) - sum(hits)
    return {"found": found, "others": others}


def jpeg(photo: Photo, quality: int = 90) -> bytes:
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=quality)
    return file.getvalue()


def cut(photo: Photo, left: float, top: float, right: float, bottom: float) -> Photo:
    """Without these shares of its sides."""
    width, height = photo.size
    return photo.crop(
        (round(left * width), round(top * height), round((1 - right) * width), round((1 - bottom) * height))
    )


CHANGES: dict[str, Callable[[Photo], bytes]] = {
    "saved again": jpeg,
    "quality 40": lambda photo: jpeg(photo, 40),
    "mirrored": lambda photo: jpeg(ImageOps.mirror(photo)),
    "five eighths the size": lambda photo: jpeg(photo.resize((photo.width * 5 // 8, photo.height * 5 // 8))),
    "a quarter brighter": lambda photo: jpeg(ImageEnhance.Brightness(photo).enhance(1.25)),
    "a quarter darker": lambda photo: jpeg(ImageEnhance.Brightness(photo).enhance(0.75)),
    "cropped by 4% a side": lambda photo: jpeg(cut(photo, 0.04, 0.04, 0.04, 0.04)),
    "cropped by 8% and 5%": lambda photo: jpeg(cut(photo, 0.08, 0, 0, 0.05)),
    "cropped and mirrored": lambda photo: jpeg(ImageOps.mirror(cut(photo, 0.06, 0.02, 0.03, 0.06)), 70),
}


if __name__ == "__main__":
    main()
