"""Which pixels are replaced: erase, cutout, cutmix; and how pictures blend: mixup."""

import torch

from hangtag.augment.cutmix import Cutmix
from hangtag.augment.cutout import Cutout
from hangtag.augment.erase import Erase
from hangtag.augment.mixup import Mixup

N = 400
INDEX = torch.arange(N)
TARGETS = torch.eye(4)[INDEX % 4]
WHITE = torch.full((N, 1, 28, 28), 255.0)


def drawn(augmentation, seed=0):
    return augmentation.draw(INDEX, 28, 0, torch.Generator().manual_seed(seed))


def test_cutout_cuts_one_square_wherever_its_centre_falls():
    augmentation = Cutout(size=8)
    cut = (augmentation.apply(WHITE, TARGETS, drawn(augmentation))[0] == 0).sum(dim=(1, 2, 3))
    assert cut.max() == 64
    assert cut.min() >= 16  # a centre in the corner leaves a quarter


def test_erased_areas_lie_within_their_range():
    augmentation = Erase(probability=1.0, area=(0.1, 0.2), aspect=(0.5, 2.0))
    erased = augmentation.apply(torch.zeros(N, 1, 28, 28), TARGETS, drawn(augmentation))[0] > 0
    area = erased.float().mean(dim=(1, 2, 3))
    assert 0.08 < area.min() < 0.12
    assert 0.18 < area.max() < 0.22


def test_erase_spares_the_asked_share():
    augmentation = Erase(probability=0.25)
    changed = (augmentation.apply(WHITE, TARGETS, drawn(augmentation))[0] != WHITE).any(dim=3).any(dim=2).any(dim=1)
    assert 0.18 < changed.float().mean() < 0.32


def test_cutmix_targets_are_the_areas_that_changed_hands():
    augmentation = Cutmix(probability=1.0)
    parameters = drawn(augmentation)
    images = (INDEX.float()[:, None, None, None] / 2).expand(N, 1, 28, 28)  # each picture one shade of its own
    mixed, targets = augmentation.apply(images, TARGETS, parameters)
    own = (mixed == images).float().mean(dim=(1, 2, 3))
    expected = own[:, None] * TARGETS + (1 - own)[:, None] * TARGETS[parameters["partner"]]
    torch.testing.assert_close(targets, expected)
    assert 0.3 < own.mean() < 0.8


def test_cutmix_leaves_alone_what_it_does_not_choose():
    augmentation = Cutmix(probability=0.0)
    mixed, targets = augmentation.apply(WHITE, TARGETS, drawn(augmentation))
    assert torch.equal(mixed, WHITE)
    assert torch.equal(targets, TARGETS)


def test_mixup_blends_pictures_and_targets_by_the_same_share():
    augmentation = Mixup(alpha=1.0)
    parameters = drawn(augmentation)
    images = torch.rand(N, 1, 4, 4) * 255
    mixed, targets = augmentation.apply(images, TARGETS, parameters)
    share = parameters["share"]
    assert 0.5 <= share.min() <= share.max() <= 1
    expected = share[:, None] * TARGETS + (1 - share)[:, None] * TARGETS[parameters["partner"]]
    torch.testing.assert_close(targets, expected)
    i = int(share.argmin())
    torch.testing.assert_close(mixed[i], share[i] * images[i] + (1 - share[i]) * images[parameters["partner"][i]])


def test_small_alpha_blends_little():
    assert drawn(Mixup(alpha=0.1))["share"].mean() > drawn(Mixup(alpha=2.0))["share"].mean() + 0.1
