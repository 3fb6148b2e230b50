"""Hints: how many, how large, where and of what colour."""

import numpy as np
import pytest

from pipeline.colorizer.hints import HintOptions, Hints, simulate
from sketch_models.errors import ConfigError

BOX = (10, 20, 50, 64)
PICTURE = np.random.default_rng(0).integers(1, 256, (64, 64, 3), dtype=np.uint8)


def one_patch(options: HintOptions, seed: int, size: int = 64) -> tuple[Hints, slice, slice]:
    """Hints of one patch, and where it is."""
    picture = np.random.default_rng(0).integers(1, 256, (size, size, 3), dtype=np.uint8)
    hints = simulate(picture, (0, 0, size, size), options, np.random.default_rng(seed), 1)
    ys, xs = np.nonzero(hints.mask)
    rows, columns = slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)
    assert hints.mask[rows, columns].all()
    assert hints.mask.sum() == len(ys)
    return hints, rows, columns


def test_the_number_of_patches_is_geometric() -> None:
    """Counted as hinted pixels: patches of one pixel, on a picture where they hardly ever meet."""
    options = HintOptions(chance_of_end=0.25, min_patch=1, max_patch=1)
    picture = np.zeros((256, 256, 3), np.uint8)
    random = np.random.default_rng(0)
    counts = np.array(
        [simulate(picture, (0, 0, 256, 256), options, random).mask.sum() for _ in range(1500)]
    )
    for count in range(5):
        share = 0.25 * 0.75**count
        sigma = (share * (1 - share) / 1500) ** 0.5
        assert abs((counts == count).mean() - share) < 4 * sigma
    assert abs(counts.mean() - 3) < 4 * (12 / 1500) ** 0.5  # variance (1 - p) / p^2


def test_so_many_patches_as_asked_for() -> None:
    dots = HintOptions(min_patch=1, max_patch=1)
    picture = np.zeros((256, 256, 3), np.uint8)
    for patches in (0, 1, 10):
        hints = simulate(picture, (0, 0, 256, 256), dots, np.random.default_rng(1), patches)
        assert hints.mask.sum() == patches


def test_sides_are_uniform_and_go_with_the_size() -> None:
    options = HintOptions(min_patch=4, max_patch=12, patch_step=4)
    assert options.sides(256).tolist() == [4, 8, 12]
    assert options.sides(64).tolist() == [1, 2, 3]
    assert options.sides(512).tolist() == [8, 16, 24]
    assert HintOptions().sides(256).tolist() == list(range(2, 21, 2))
    found = []
    for seed in range(300):
        _, rows, columns = one_patch(options, seed, size=128)
        assert rows.stop - rows.start == columns.stop - columns.start
        found.append(rows.stop - rows.start)
    shares = [found.count(side) / 300 for side in (2, 4, 6)]
    assert sum(shares) == 1
    assert all(abs(share - 1 / 3) < 4 * (2 / 9 / 300) ** 0.5 for share in shares)


def test_places_are_normal_around_the_centre_of_the_box() -> None:
    """A quarter of the free side: one in 22 falls on an edge, where it is clipped to."""
    dots = HintOptions(min_patch=1, max_patch=1)
    picture, box = np.zeros((256, 256, 3), np.uint8), (50, 0, 151, 256)
    random = np.random.default_rng(0)
    left = [
        int(np.nonzero(simulate(picture, box, dots, random, 1).mask)[1][0]) for _ in range(2000)
    ]
    assert (min(left), max(left)) == (50, 150)
    assert abs(np.mean(left) - 100) < 4 * 25 / 2000**0.5
    assert abs(np.mean(np.abs(np.array(left) - 100) < 25) - 0.68) < 0.05
    assert abs(np.mean([x in (50, 150) for x in left]) - 0.0477) < 0.02  # 2 sigma, and rounding


def test_nothing_is_hinted_outside_of_the_box() -> None:
    left, top, right, bottom = BOX
    options = HintOptions(chance_of_end=0.02, max_patch=200)
    hinted = np.zeros((64, 64), bool)
    for seed in range(30):
        hinted |= simulate(PICTURE, BOX, options, np.random.default_rng(seed)).mask
    assert hinted[top:bottom, left:right].mean() > 0.9
    hinted[top:bottom, left:right] = False
    assert not hinted.any()


def test_a_patch_larger_than_the_box_is_cut() -> None:
    options = HintOptions(min_patch=200, max_patch=200)
    hints = simulate(PICTURE, (30, 10, 33, 12), options, np.random.default_rng(0), 1)
    assert hints.mask.sum() == 6
    assert hints.mask[10:12, 30:33].all()


@pytest.mark.parametrize(("color", "of"), [("mean", np.mean), ("median", np.median)])
def test_the_colour_is_that_of_the_picture_below(color: str, of: object) -> None:
    options = HintOptions(min_patch=12, max_patch=32, color=color)
    for seed in range(20):
        hints, rows, columns = one_patch(options, seed)
        picture = np.random.default_rng(0).integers(1, 256, (64, 64, 3), dtype=np.uint8)
        expected = np.rint(of(picture[rows, columns], axis=(0, 1)))  # type: ignore[operator]
        assert (hints.color[rows, columns] == expected).all()
        assert not hints.color[~hints.mask].any()


def test_the_same_seed_draws_the_same() -> None:
    def drawn(seed: int) -> bytes:
        return simulate(PICTURE, BOX, HintOptions(), np.random.default_rng(seed), 5).color.tobytes()

    assert drawn(3) == drawn(3)
    assert len({drawn(seed) for seed in range(10)}) == 10


def test_no_hints() -> None:
    none = Hints.none(5, 7)
    assert (none.color.shape, none.color.dtype) == ((5, 7, 3), np.uint8)
    assert (none.mask.shape, none.mask.dtype) == ((5, 7), np.bool_)
    assert not none.color.any()
    assert not none.mask.any()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"chance_of_end": 0.0}, "chance_of_end = 0.0"),
        ({"chance_of_end": 1.5}, "chance_of_end = 1.5"),
        ({"min_patch": 0}, "min_patch = 0"),
        ({"max_patch": 1}, "max_patch = 1"),
        ({"patch_step": 0}, "patch_step = 0"),
        ({"color": "mode"}, "color = mode"),
    ],
)
def test_options_that_cannot_work_are_named(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=rf"^\[hints\] {named}: expected "):
        HintOptions(**wrong)  # type: ignore[arg-type]
