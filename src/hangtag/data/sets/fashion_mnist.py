"""Fashion-MNIST: 70,000 grey pictures of ten kinds of garment, 28x28. Only the four published files, gzipped or not.

Source: Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747; https://github.com/zalandoresearch/fashion-mnist (MIT licence).
The files were replaced on 31 August 2017, and loaders elsewhere have served digits under this name: hence the hashes.
"""

from __future__ import annotations

from pathlib import Path

from hangtag.core.types import Dataset
from hangtag.data.places import find_folder
from hangtag.data.published import Published, PublishedFile, open_cache, open_folder
from hangtag.data.sets import Progress, only_28_grey, register

CLASS_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip

FASHION_MNIST = Published(
    "fashion-mnist",
    CLASS_NAMES,
    training=(
        PublishedFile(
            "train-images-idx3-ubyte.gz",
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            (60_000, 28, 28),
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        ),
        PublishedFile(
            "train-labels-idx1-ubyte.gz",
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "25c81989df183df01b3e8a0aad5dffbe",
            (60_000,),
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
    ),
    test=(
        PublishedFile(
            "t10k-images-idx3-ubyte.gz",
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "bef4ecab320f06d8554ea6380940ec79",
            (10_000, 28, 28),
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        ),
        PublishedFile(
            "t10k-labels-idx1-ubyte.gz",
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            "bb300cfdad3c16e7a12a480ee83cd310",
            (10_000,),
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    ),
    mirrors=(
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",  # the authors' repository
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",  # the copy Keras uses
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",  # the authors' bucket: plain http, so last
    ),
)


@register(
    "fashion_mnist",
    source="Fashion-MNIST: Zalando’s product photos of 2017, cut out, made grey and 28 × 28 (arXiv:1708.07747).",
    licence="MIT, Zalando Research.",
    limits=(
        "White garments were left out of Fashion-MNIST (they vanish on its ground): the model has never met one.",
        "Garments lie flat or hang, alone, cut out, on a plain ground; nobody wears them. Shoes nearly all point left.",
        "Ten coarse classes of one European shop in 2017: no hats, jewellery, underwear, suits or saris.",
        "28 × 28 grey pixels hide cloth, colour and small parts: Shirt, T-shirt/top, Pullover and Coat overlap. People "
        "without training in fashion got 83.5% of 1,000 of these pictures right.",
    ),
)
def fashion_mnist(path: Path | None, size: int, colour: bool, progress: Progress) -> Dataset:
    """The set in the user's folder, else in `HANGTAG_DATA`, else in the cache, filled from the mirrors."""
    only_28_grey("fashion-mnist", size, colour)
    folder, cached = find_folder("fashion-mnist", path)
    return open_cache(FASHION_MNIST, folder, progress) if cached else open_folder(FASHION_MNIST, folder)
