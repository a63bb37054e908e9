"""Where pixels go: flip, alternating_flip, shift, affine."""

import torch

from hangtag.augment.affine import Affine
from hangtag.augment.alternating_flip import AlternatingFlip
from hangtag.augment.flip import Flip
from hangtag.augment.shift import Shift

TARGETS = torch.eye(3)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_flip_mirrors_left_to_right_and_never_top_to_bottom():
    images = torch.arange(2 * 28 * 28.0).reshape(2, 1, 28, 28)
    flipped, _ = Flip().apply(images, TARGETS[:2], {"flipped": torch.tensor([True, False])})
    assert torch.equal(flipped[0], images[0].flip(2))
    assert torch.equal(flipped[1], images[1])


def test_flip_mirrors_the_asked_share():
    share = Flip(probability=0.3).draw(torch.arange(4000), 28, 0, generator())["flipped"].float().mean()
    assert 0.27 < share < 0.33


def test_two_epochs_of_alternating_flip_show_every_picture_both_ways_round():
    index = torch.arange(5000)
    first, second, third = (AlternatingFlip().draw(index, 28, epoch, generator(epoch))["flipped"] for epoch in range(3))
    assert torch.equal(first, ~second)
    assert torch.equal(first, third)


def test_alternating_flip_starts_with_an_unpatterned_half():
    flipped = AlternatingFlip().draw(torch.arange(60000), 28, 0, generator())["flipped"].float()
    assert abs(flipped.mean() - 0.5) < 0.01
    for period in (2, 3, 10, 64):  # no class that lies at every k-th place starts on one side
        assert abs(flipped[::period].mean() - 0.5) < 0.03


def test_alternating_flip_knows_a_picture_wherever_it_stands_in_the_batch():
    ordered = AlternatingFlip().draw(torch.arange(100), 28, 0, generator())["flipped"]
    order = torch.randperm(100, generator=generator())
    assert torch.equal(AlternatingFlip().draw(order, 28, 0, generator())["flipped"], ordered[order])


def test_shift_moves_by_its_offset_and_fills_with_background():
    image = torch.zeros(1, 1, 8, 8)
    image[0, 0, 3, 4] = 200.0
    down_right, _ = Shift(pixels=2).apply(image, TARGETS[:1], {"offset": torch.tensor([[0, 1]])})
    assert down_right.nonzero().tolist() == [[0, 0, 5, 5]]  # rows by 2 - 0, columns by 2 - 1
    full = torch.full((1, 3, 8, 8), 9.0)
    moved, _ = Shift(pixels=2).apply(full, TARGETS[:1], {"offset": torch.tensor([[4, 2]])})
    assert not moved[:, :, -2:].any()
    assert bool((moved[:, :, :-2] == 9).all())


def test_shift_reaches_every_offset_up_to_its_pixels():
    offset = Shift(pixels=1).draw(torch.arange(500), 28, 0, generator())["offset"]
    assert sorted({tuple(pair) for pair in offset.tolist()}) == [(y, x) for y in range(3) for x in range(3)]


def test_affine_without_movement_is_the_picture_itself():
    images = torch.rand(3, 1, 28, 28) * 255
    still = Affine(degrees=0.0, scale=(1.0, 1.0))
    torch.testing.assert_close(
        still.apply(images, TARGETS, still.draw(torch.arange(3), 28, 0, generator()))[0], images, atol=1e-2, rtol=0
    )


def test_affine_scales_about_the_centre():
    image = torch.zeros(1, 1, 28, 28)
    image[:, :, 9:19, 9:19] = 255.0
    for factor, wanted in ((0.5, 25), (2.0, 400)):  # 10 x 10 pixels become 5 x 5 or 20 x 20
        scaled = Affine(degrees=0.0, scale=(factor, factor))
        result, _ = scaled.apply(image, TARGETS[:1], scaled.draw(torch.arange(1), 28, 0, generator()))
        assert abs(float(result.sum()) / 255 - wanted) < 0.1 * wanted
        torch.testing.assert_close(result, result.flip(3), atol=0.5, rtol=0)


def test_affine_turns_within_its_degrees():
    matrix = Affine(degrees=10.0, scale=(1.0, 1.0)).draw(torch.arange(2000), 28, 0, generator())["matrix"]
    angle = torch.rad2deg(torch.atan2(matrix[:, 1, 0], matrix[:, 0, 0]))
    assert 9.5 < angle.abs().max() <= 10.001
