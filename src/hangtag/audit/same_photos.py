"""Photos that are there twice: the same, mirrored, resized, compressed again, brighter or darker, cropped a little.

In three steps. A small blurred sketch gives each photo's few nearest neighbours, and its mirror image's; these are laid
over each other as well as a crop allows; and then it counts whether the details agree, the faint ones too: the creases
and the grain of one photo are in every copy of it, and in no second photo of the same garment, let alone in one of
another garment of the same cut.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hangtag.audit.alignment import Grey, align, correlation, pooled, sampled, softened, unplaced
from hangtag.audit.descriptions import nearest
from hangtag.audit.near_duplicates import NearDuplicate, Relation
from hangtag.audit.photos import Sketches

NEIGHBOURS = 8  # of a photo and of its mirror image that are laid over it
FARTHEST = 0.6  # between two blurred sketches of length 1; of copies cropped by 4% a side 19 in 20 are within 0.43
ALIKE_BLURRED = 0.93  # correlation of the blurred sketches once laid over each other; others go no further
ALIKE = 0.97  # correlation of the sketches
HALF_DETAILS = 0.75  # correlation of their details at half the size, to go further
SAME_DETAILS = 0.9  # correlation of their details: copies have 0.9 to 1, two photos of one garment hardly 0.86
# Of faint details, by which two pairs of plain trousers on an empty ground differ: outlines agree by 0.97. Copies have
# 0.69 to 1, drawings of one cut 0.4 at most. Where hardly anything is faint, or all is flat, outlines must do.
SAME_FAINT, FAINT, FLAT, FEWEST = 0.55, 3.0, 0.55, 200  # correlation; levels, from FLAT to FAINT; pixels of 4,096
OTHER_COLOUR = 8.0  # levels of Cb and Cr, root mean square: a garment of another colour is another garment
NEXT_TO_GREY = 4.0  # levels, as those
SHARED = 0.8  # of the larger photo's area, at least: more is cut off by no slight crop, and is not always found
_CROPPED = 0.03  # scale or shift above which a copy counts as cropped
_FLAT = 8.0  # levels of deviation: plainer photos are not made to look like patterned ones
_MANY = 4096  # pairs compared at a time, at 16 pixels a side, and as many pixels of fewer at more: 4 MB an image held


def same_photos(
    photos: Sketches,
    others: Sketches | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[NearDuplicate]:
    """Pairs of copies of one photo, the closest first. A plain photo is nobody's copy.

    Args:
        photos: N photos.
        others: M photos: pairs of one of `photos` and one of these; `second` is an index here. By default pairs within
            `photos`, with first < second.
        progress: told (done, in all) pairs that were looked at closely.

    Returns:
        NearDuplicates whose distance is 1 less the correlation of the details, from 0 to 0.1.
    """
    theirs = photos if others is None else others
    if not len(photos) or not len(theirs):
        return []
    found: dict[tuple[int, int], NearDuplicate] = {}
    pairs = [(mirrored, *_candidates(photos, theirs, others is None, mirrored)) for mirrored in (False, True)]
    total, done = sum(len(first) for _, first, _ in pairs), 0
    for mirrored, first, second in pairs:
        for start in range(0, len(first), _MANY):
            some, other = first[start : start + _MANY], second[start : start + _MANY]
            for pair in _compared(photos, theirs, some, other, mirrored):
                known = found.get((pair.first, pair.second))
                if known is None or pair.distance < known.distance:
                    found[pair.first, pair.second] = pair
            done += len(some)
            progress(done, total)
    return sorted(found.values(), key=lambda pair: (pair.distance, pair.first, pair.second))


def _candidates(
    photos: Sketches, theirs: Sketches, within: bool, mirrored: bool
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of photos whose blurred sketches are near each other, or one's to the other's mirror image."""
    known = _vectors(theirs.grey)
    wanted = _vectors(photos.grey[:, :, ::-1] if mirrored else photos.grey)
    if not within and len(theirs) < len(photos):  # each of the fewer is compared with its few neighbours
        second, first = _pairs(_vectors(theirs.grey[:, :, ::-1]) if mirrored else known, _vectors(photos.grey))
    else:
        first, second = _pairs(wanted, known, NEIGHBOURS + (within and not mirrored))
    if not within:
        return first, second
    once = np.unique(np.minimum(first, second) * len(photos) + np.maximum(first, second))
    low, high = once // len(photos), once % len(photos)
    return low[low != high], high[low != high]


def _pairs(
    wanted: NDArray[np.float32], known: NDArray[np.float32], count: int = NEIGHBOURS
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    near, far = nearest(wanted, known, count)
    return np.nonzero(far <= FARTHEST)[0], near[far <= FARTHEST]


def _vectors(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 256): the blurred sketch without its mean, of length 1, or less if it is plain."""
    vectors = [np.zeros((0, 256), np.float32)]
    for start in range(0, len(grey), _MANY):
        small = softened(softened(pooled(grey[start : start + _MANY], 4))).reshape(-1, 256)
        small -= small.mean(axis=1, keepdims=True)
        vectors.append(small / np.maximum(np.linalg.norm(small, axis=1, keepdims=True), _FLAT * 16))
    return np.concatenate(vectors)


def _compared(
    photos: Sketches, theirs: Sketches, first: NDArray[np.intp], second: NDArray[np.intp], mirrored: bool
) -> list[NearDuplicate]:
    """Those of the pairs that show one photo: at 16, 32 and 64 pixels a side, so that few come as far as the last."""
    flip = slice(None, None, -1) if mirrored else slice(None)
    placing = unplaced(len(first))
    for factor, steps, least in ((4, 6, 0.0), (2, 6, HALF_DETAILS), (1, 4, SAME_DETAILS)):
        details, alike = np.zeros(len(first)), np.zeros(len(first))
        few = _MANY * factor**2 // 16
        for start in range(0, len(first), few):
            rows = slice(start, start + few)
            one = softened(pooled(photos.grey[first[rows]], factor))
            two = softened(pooled(theirs.grey[second[rows]][:, :, flip], factor))
            placing[rows] = align(one, two, placing[rows], steps)
            laid, shared = sampled(two, placing[rows])
            alike[rows] = correlation(one, laid, shared)
            fine, other = one - softened(softened(one)), laid - softened(softened(laid))
            details[rows] = correlation(fine, other, shared)
            if factor == 1:
                details[rows][~_faint_agree(fine, other, shared)] = 0
        kept = (details >= least) & (alike >= (ALIKE_BLURRED if factor == 4 else ALIKE))
        first, second, placing, details = first[kept], second[kept], placing[kept], details[kept]
    colours = _same_colours(photos.colour[first], theirs.colour[second][:, :, flip], placing)
    found = []
    for k in np.flatnonzero(colours & (_share(placing) >= SHARED)):
        i, j = int(first[k]), int(second[k])
        equal = np.array_equal(photos.grey[i], theirs.grey[j][:, flip]) and np.array_equal(
            photos.colour[i], theirs.colour[j][:, flip]
        )
        cropped = bool(np.abs(placing[k] - unplaced(1)[0]).max() > _CROPPED)
        distance = 0.0 if equal else max(0.0, 1 - float(details[k]))
        found.append(NearDuplicate(i, j, distance, _relation(equal, mirrored, cropped)))
    return found


def _faint_agree(one: Grey, other: Grey, shared: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(P,) whether what is faint in the details of both is the same."""
    strength = softened(softened(one * one + other * other)) / 2  # around each pixel, squared
    faint = shared & (strength > FLAT**2) & (strength < FAINT**2)
    agree: NDArray[np.bool_] = (correlation(one, other, faint) >= SAME_FAINT) | (faint.sum(axis=(1, 2)) < FEWEST)
    return agree


def _relation(equal: bool, mirrored: bool, cropped: bool) -> Relation:
    if mirrored:
        return "mirrored and cropped" if cropped else "mirrored"
    return "identical" if equal else "cropped" if cropped else "alike"


def _share(placing: NDArray[np.float32]) -> NDArray[np.float32]:
    """(P,) share of the larger photo's area that both show."""
    shares = np.ones((2, len(placing)), np.float32)
    for scale, shift in ((placing[:, 0], placing[:, 1]), (placing[:, 2], placing[:, 3])):
        long = np.clip(np.minimum(1, shift + scale) - np.maximum(-1, shift - scale), 0, 2)  # within the second
        shares[0] *= long / 2
        shares[1] *= long / (2 * scale)
    found: NDArray[np.float32] = shares.min(axis=0)
    return found


def _same_colours(
    first: NDArray[np.uint8], second: NDArray[np.uint8], placing: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """(P,) whether Cb and Cr hardly differ, after the second's strength is fitted to the first's.

    What is left is no larger than OTHER_COLOUR, nor than the colours themselves, unless these are next to grey.
    """
    one = first.astype(np.float32) - 128
    two = np.stack([sampled(second[..., k].astype(np.float32) - 128, placing)[0] for k in (0, 1)], axis=-1)
    # A brighter copy has stronger colours; the colour of a faded one is not stretched to any other.
    strength = (one * two).sum(axis=(1, 2, 3)) / np.maximum((two * two).sum(axis=(1, 2, 3)), 1)
    rest = one - np.clip(strength, 0.6, 1.7)[:, None, None, None] * two
    left, own = (np.sqrt((each * each).mean(axis=(1, 2, 3))) for each in (rest, one))
    same: NDArray[np.bool_] = left <= np.minimum(OTHER_COLOUR, np.maximum(own, NEXT_TO_GREY))
    return same
