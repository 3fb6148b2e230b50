"""Hints: their arrays, RGBA pictures, and number, size, position and colour of simulated ones."""

import numpy as np
import pytest
from PIL import Image

from pipeline.colorizer.hints import HintOptions, Hints, _inside_an_area, simulate_hints
from sketch_models.errors import ConfigError

BOX = (10, 20, 50, 64)
PICTURE = np.random.default_rng(0).integers(1, 256, (64, 64, 3), dtype=np.uint8)


def one_patch(options: HintOptions, seed: int, size: int = 64) -> tuple[Hints, slice, slice]:
    """Return hints of one patch, and its rows and columns."""
    picture = np.random.default_rng(0).integers(1, 256, (size, size, 3), dtype=np.uint8)
    hints = simulate_hints(picture, (0, 0, size, size), options, np.random.default_rng(seed), 1)
    ys, xs = np.nonzero(hints.mask)
    rows, columns = slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)
    assert hints.mask[rows, columns].all()
    assert hints.mask.sum() == len(ys)
    return hints, rows, columns


def test_number_of_patches_is_geometric() -> None:
    """Patches of one pixel are counted by the mask, on a picture so large that few overlap."""
    options = HintOptions(stop_probability=0.25, min_patch=1, max_patch=1)
    picture = np.zeros((256, 256, 3), np.uint8)
    rng = np.random.default_rng(0)
    counts = np.array(
        [simulate_hints(picture, (0, 0, 256, 256), options, rng).mask.sum() for _ in range(1500)]
    )
    for count in range(5):
        share = 0.25 * 0.75**count
        sigma = (share * (1 - share) / 1500) ** 0.5
        assert abs((counts == count).mean() - share) < 4 * sigma
    assert abs(counts.mean() - 3) < 4 * (12 / 1500) ** 0.5  # variance (1 - p) / p^2


def test_number_of_patches_can_be_given() -> None:
    dots = HintOptions(min_patch=1, max_patch=1)
    picture = np.zeros((256, 256, 3), np.uint8)
    for patches in (0, 1, 10):
        hints = simulate_hints(picture, (0, 0, 256, 256), dots, np.random.default_rng(1), patches)
        assert hints.mask.sum() == patches


def test_sides_are_uniform_and_scale_with_the_picture() -> None:
    options = HintOptions(min_patch=4, max_patch=12, patch_step=4)
    assert options.sides(256).tolist() == [4, 8, 12]
    assert options.sides(64).tolist() == [1, 2, 3]
    assert options.sides(512).tolist() == [8, 16, 24]
    assert HintOptions().sides(256).tolist() == list(range(2, 21, 2))
    assert HintOptions().sides(16).tolist() == [1] * 10  # an eighth of a pixel is one, too
    all_sides = []
    for seed in range(300):
        _, rows, columns = one_patch(options, seed, size=128)
        assert rows.stop - rows.start == columns.stop - columns.start
        all_sides.append(rows.stop - rows.start)
    shares = [all_sides.count(side) / 300 for side in (2, 4, 6)]
    assert sum(shares) == 1
    assert all(abs(share - 1 / 3) < 4 * (2 / 9 / 300) ** 0.5 for share in shares)


def test_positions_are_normal_around_the_centre_of_the_box() -> None:
    """Sigma is a quarter of the free side: one in 22 is clipped to an edge."""
    dots = HintOptions(min_patch=1, max_patch=1)
    picture, box = np.zeros((256, 256, 3), np.uint8), (50, 0, 151, 256)
    rng = np.random.default_rng(0)
    left = [
        int(np.nonzero(simulate_hints(picture, box, dots, rng, 1).mask)[1][0]) for _ in range(2000)
    ]
    assert (min(left), max(left)) == (50, 150)
    assert abs(np.mean(left) - 100) < 4 * 25 / 2000**0.5
    assert abs(np.mean(np.abs(np.array(left) - 100) < 25) - 0.68) < 0.05
    assert abs(np.mean([x in (50, 150) for x in left]) - 0.0477) < 0.02  # 2 sigma, and rounding


def test_hints_stay_inside_the_box() -> None:
    left, top, right, bottom = BOX
    options = HintOptions(stop_probability=0.02, max_patch=200)
    hinted = np.zeros((64, 64), bool)
    for seed in range(30):
        hinted |= simulate_hints(PICTURE, BOX, options, np.random.default_rng(seed)).mask
    assert hinted[top:bottom, left:right].mean() > 0.9
    hinted[top:bottom, left:right] = False
    assert not hinted.any()


def test_patch_larger_than_the_box_is_clipped() -> None:
    options = HintOptions(min_patch=200, max_patch=200)
    hints = simulate_hints(PICTURE, (30, 10, 33, 12), options, np.random.default_rng(0), 1)
    assert hints.mask.sum() == 6
    assert hints.mask[10:12, 30:33].all()


@pytest.mark.parametrize(("color", "of"), [("mean", np.mean), ("median", np.median)])
def test_colour_is_the_mean_or_median_of_the_picture_below(color: str, of: object) -> None:
    options = HintOptions(min_patch=12, max_patch=32, color=color)
    for seed in range(20):
        hints, rows, columns = one_patch(options, seed)
        picture = np.random.default_rng(0).integers(1, 256, (64, 64, 3), dtype=np.uint8)
        expected = np.rint(of(picture[rows, columns], axis=(0, 1)))  # type: ignore[operator]
        assert (hints.color[rows, columns] == expected).all()
        assert not hints.color[~hints.mask].any()


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0.02, 0.09), (0.5, 0.45, 0.6), (1, 1, 1)])
def test_a_share_of_the_training_pictures_has_no_hint(
    share: float, low: float, high: float
) -> None:
    options = HintOptions(stop_probability=0.05, none_share=share)
    rng = np.random.default_rng(0)
    empty = [not simulate_hints(PICTURE, BOX, options, rng).mask.any() for _ in range(400)]
    assert low <= np.mean(empty) <= high
    assert simulate_hints(PICTURE, BOX, options, rng, 3).mask.any()  # as many as asked for


def test_same_seed_gives_same_hints() -> None:
    def color_bytes(seed: int) -> bytes:
        return simulate_hints(
            PICTURE, BOX, HintOptions(), np.random.default_rng(seed), 5
        ).color.tobytes()

    assert color_bytes(3) == color_bytes(3)
    assert len({color_bytes(seed) for seed in range(10)}) == 10


def test_none_has_arrays_without_hints() -> None:
    none = Hints.none(5, 7)
    assert (none.color.shape, none.color.dtype) == ((5, 7, 3), np.uint8)
    assert (none.mask.shape, none.mask.dtype) == ((5, 7), np.bool_)
    assert not none.color.any()
    assert not none.mask.any()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"stop_probability": 0.0}, "stop_probability = 0.0"),
        ({"stop_probability": 1.5}, "stop_probability = 1.5"),
        ({"min_patch": 0}, "min_patch = 0"),
        ({"max_patch": 1}, "max_patch = 1"),
        ({"patch_step": 0}, "patch_step = 0"),
        ({"color": "mode"}, "color = mode"),
    ],
)
def test_unusable_options_are_named(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=rf"^\[hints\] {named}: expected "):
        HintOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("color", "mask"),
    [
        (np.zeros((4, 5, 3), np.uint8), np.zeros((4, 6), bool)),
        (np.zeros((4, 5), np.uint8), np.zeros((4, 5), bool)),
        (np.zeros((4, 5, 3), np.float32), np.zeros((4, 5), bool)),
        (np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5), np.uint8)),
    ],
)
def test_wrong_arrays_are_value_errors(color: np.ndarray, mask: np.ndarray) -> None:
    with pytest.raises(
        ValueError, match=r"expected \(H, W, 3\) uint8 and \(H, W\) bool\.$"
    ) as error:
        Hints(color, mask)
    assert f"{color.shape} {color.dtype}" in str(error.value)
    assert f"{mask.shape} {mask.dtype}" in str(error.value)


def test_opaque_pixels_of_rgba_are_hints() -> None:
    pixels = np.zeros((2, 3, 4), np.uint8)
    pixels[0, 0] = (10, 20, 30, 255)
    pixels[0, 1] = (40, 50, 60, 128)
    pixels[1, 2] = (70, 80, 90, 127)
    for picture in (pixels, Image.fromarray(pixels)):
        hints = Hints.from_rgba(picture)
        assert hints.mask.tolist() == [[True, True, False], [False, False, False]]
        assert hints.color[0, :2].tolist() == [[10, 20, 30], [40, 50, 60]]
        assert not hints.color[~hints.mask].any()


def test_transparent_palette_is_read_as_rgba() -> None:
    image = Image.new("P", (2, 1), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((1, 0), 1)
    image.info["transparency"] = 0
    hints = Hints.from_rgba(image)
    assert hints.mask.tolist() == [[False, True]]
    assert hints.color[0, 1].tolist() == [0, 255, 0]


@pytest.mark.parametrize(
    ("picture", "named"),
    [
        (np.zeros((4, 5, 3), np.uint8), r"\(4, 5, 3\) uint8: expected \(H, W, 4\) uint8 RGBA"),
        (np.zeros((4, 5, 4), np.float32), r"\(4, 5, 4\) float32: expected \(H, W, 4\) uint8 RGBA"),
        (Image.new("RGB", (4, 5)), "of mode RGB, which has no alpha channel: expected RGBA"),
    ],
)
def test_hints_without_alpha_are_value_errors(
    picture: np.ndarray | Image.Image, named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        Hints.from_rgba(picture)


STROKES = HintOptions(shape="stroke")


def two_areas(size: int) -> np.ndarray:
    """Return a picture whose left half is red and whose right half is blue."""
    picture = np.zeros((size, size, 3), np.uint8)
    picture[:, : size // 2], picture[:, size // 2 :] = (220, 30, 40), (20, 60, 200)
    return picture


@pytest.mark.parametrize("size", [64, 256])
@pytest.mark.parametrize("color", ["mean", "median"])
def test_strokes_have_the_colour_of_their_area(size: int, color: str) -> None:
    picture = two_areas(size)
    options = HintOptions(shape="stroke", color=color)
    covered = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        hints = simulate_hints(picture, (0, 0, size, size), options, rng, 8)
        np.testing.assert_array_equal(hints.color[hints.mask], picture[hints.mask])
        assert not hints.color[~hints.mask].any()
        covered += int(hints.mask.sum())
    assert covered > 20 * 8 * (size / 256) ** 2 * 20


def test_strokes_are_of_their_seed_and_stay_in_the_box() -> None:
    for seed in range(20):
        first, again = (
            simulate_hints(PICTURE, BOX, STROKES, np.random.default_rng(seed), 12) for _ in range(2)
        )
        np.testing.assert_array_equal(first.color, again.color)
        ys, xs = np.nonzero(first.mask)
        assert xs.min() >= BOX[0]
        assert xs.max() < BOX[2]
        assert ys.min() >= BOX[1]
        assert ys.max() < BOX[3]


def test_some_strokes_are_long_and_some_are_dots() -> None:
    picture = np.full((256, 256, 3), 90, np.uint8)
    extents, areas = [], []
    for seed in range(60):
        hints = simulate_hints(picture, (0, 0, 256, 256), STROKES, np.random.default_rng(seed), 1)
        ys, xs = np.nonzero(hints.mask)
        areas.append(len(ys))
        extents.append(max(np.ptp(xs), np.ptp(ys)))
    assert sum(extent <= 12 for extent in extents) > 15
    assert sum(areas) / len(areas) > 20
    assert np.mean([area == 1 for area in areas]) < 0.2  # strokes of the least width
    assert sum(extent > 30 for extent in extents) > 15
    assert max(extents) <= 0.3 * 256 + 12


def test_dots_are_as_wide_as_the_options_say() -> None:
    picture = np.full((256, 256, 3), 90, np.uint8)
    options = HintOptions(shape="stroke", min_patch=16, max_patch=16)
    smallest = min(
        simulate_hints(
            picture, (0, 0, 256, 256), options, np.random.default_rng(seed), 1
        ).mask.sum()
        for seed in range(30)
    )
    assert 30 < smallest < 80  # a disc of 8 pixels


def test_strokes_end_at_the_rim_of_the_picture() -> None:
    """They do not run along it."""
    picture = np.full((256, 256, 3), 90, np.uint8)
    options = HintOptions(shape="stroke", min_patch=2, max_patch=2)
    rim = np.ones((256, 256), bool)
    rim[1:-1, 1:-1] = False
    on_rim = [
        int(
            simulate_hints(picture, (0, 0, 256, 256), options, np.random.default_rng(seed), 1)
            .mask[rim]
            .sum()
        )
        for seed in range(200)
    ]
    assert max(on_rim) <= 8
    assert sum(count > 0 for count in on_rim) > 3


@pytest.mark.parametrize("size", [1, 2, 5])
def test_strokes_fit_on_tiny_pictures(size: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    hints = simulate_hints(picture, (0, 0, size, size), STROKES, np.random.default_rng(0), 20)
    assert hints.mask.any()


def test_strokes_start_where_the_surroundings_are_even_whatever_their_colour() -> None:
    picture = two_areas(64)
    noise = np.random.default_rng(4).integers(100, 130, (64, 32, 1), np.uint8)
    picture[:, 32:] = noise  # of little contrast, and yet less even than the red
    starts = [
        _inside_an_area(picture, (0, 0, 64, 64), np.random.default_rng(seed)) for seed in range(40)
    ]
    assert sum(x < 32 for x, _ in starts) >= 36
    assert len(set(starts)) > 30
