from __future__ import annotations

import io
from dataclasses import asdict

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn
from scipy.ndimage import sobel

from pipeline.sample_booru.artist.draw import Drawing, draw
from pipeline.sample_booru.files import encode
from pipeline.screen import picture_stats
from pipeline.screen.picture_stats import HASH_BITS, PictureStats, compute_stats

IDS = (1, 4, 7, 9, 12, 64, 108, 171, 178, 180)
Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def drawings() -> dict[int, Drawing]:
    return {post_id: draw(post_id) for post_id in IDS}


def eighth(content: bytes) -> Picture:
    """Decode a JPEG at 1/8, as the screen does."""
    with Image.open(io.BytesIO(content)) as image:
        image.draft("RGB", (1, 1))
        return np.asarray(image.convert("RGB"))


def stats_of_jpeg(picture: Picture, quality: int = 92) -> PictureStats:
    height, width = picture.shape[:2]
    content = encode(Drawing(picture, picture[..., 0]), "jpg", quality)
    return compute_stats(eighth(content), width, height)


def stats_of_png(picture: Picture) -> PictureStats:
    return compute_stats(picture, picture.shape[1], picture.shape[0])


def hash_distance(one: PictureStats, other: PictureStats) -> int:
    return (int(one.phash, 16) ^ int(other.phash, 16)).bit_count()


def flat(color: tuple[int, int, int], height: int = 150, width: int = 107) -> Picture:
    return np.full((height, width, 3), color, np.uint8)


def test_stats_do_not_depend_on_file_format_and_size(drawings: dict[int, Drawing]) -> None:
    for drawing in drawings.values():
        whole = drawing.color[3:-2, 2:]  # sides that are no multiples of 8
        size = (whole.shape[1] // 2, whole.shape[0] // 2)
        small = np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8)
        one = stats_of_jpeg(whole)
        assert hash_distance(one, stats_of_jpeg(whole, 60)) <= 6
        assert hash_distance(one, stats_of_png(whole)) <= 6
        assert hash_distance(one, stats_of_jpeg(small)) <= 12
        for other in (stats_of_jpeg(whole, 60), stats_of_png(whole), stats_of_jpeg(small)):
            assert other.chroma == pytest.approx(one.chroma, abs=0.03)
            assert other.paper == pytest.approx(one.paper, abs=0.06)
            assert other.hues == pytest.approx(one.hues, rel=0.2)


def test_darkening_hardly_changes_the_hash(drawings: dict[int, Drawing]) -> None:
    for drawing in drawings.values():
        dark = (drawing.color * 0.85).astype(np.uint8)
        assert hash_distance(stats_of_jpeg(drawing.color), stats_of_jpeg(dark)) <= 8


def test_different_drawings_are_far_apart(drawings: dict[int, Drawing]) -> None:
    stats = [stats_of_jpeg(drawing.color) for drawing in drawings.values()]
    distances = [hash_distance(a, b) for row, a in enumerate(stats) for b in stats[:row]]
    assert min(distances) > 40
    assert np.mean(distances) == pytest.approx(HASH_BITS / 2, abs=15)


def test_outline_separates_line_art_from_greyscale(drawings: dict[int, Drawing]) -> None:
    for drawing in drawings.values():
        grey = cv2.cvtColor(cv2.cvtColor(drawing.color, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        shades = stats_of_jpeg(np.asarray(grey, np.uint8))
        lines = stats_of_jpeg(np.repeat(drawing.line[..., None], 3, axis=2))
        assert lines.outline > 1.3 * shades.outline
        assert shades.hues < 0.2
        assert lines.hues < 0.2


@pytest.mark.parametrize("color", [(255, 255, 255), (0, 0, 0), (200, 30, 40), (128, 128, 128)])
def test_hash_of_a_flat_picture_is_zero(color: tuple[int, int, int]) -> None:
    stats = stats_of_png(flat(color))
    assert stats.phash == "0" * 64
    assert stats.uniform == 1
    assert stats.hues == pytest.approx(0, abs=0.01)


def test_shares_are_of_all_pixels() -> None:
    picture = flat((255, 255, 255), 96, 96)
    picture[:24] = (200, 40, 40)
    stats = stats_of_png(picture)
    assert stats.chroma == pytest.approx(0.25)
    assert stats.paper == pytest.approx(0.75)
    assert stats.uniform == 0  # no pixel has the mean colour, a pink


def test_hues_are_zero_for_one_ink_and_high_for_two_of_one_brightness() -> None:
    ramp = np.linspace(0, 1, 96)[None, :, None] * np.ones((96, 1, 1))
    ink = (np.array([60, 20, 90]) + ramp * np.array([190, 220, 130])).astype(np.uint8)
    assert stats_of_png(ink).hues < 0.5
    assert stats_of_png(ink).chroma > 0.9
    two = ink.copy()
    two[::2] = two[::2, :, ::-1]
    assert stats_of_png(two).hues > 10


def test_stats_are_plain_data(drawings: dict[int, Drawing]) -> None:
    values = asdict(stats_of_jpeg(drawings[1].color))
    assert {type(value) for value in values.values()} == {int, float, str}
    assert len(values["phash"]) == HASH_BITS // 4
    assert (values["height"], values["width"]) == drawings[1].color.shape[:2]


@given(
    height=st.integers(1, 400), width=st.integers(1, 400), scale=st.sampled_from((1, 8)),
    seed=st.integers(0, 9),
)  # fmt: skip
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_shape_has_finite_stats(height: int, width: int, scale: int, seed: int) -> None:
    shape = (-(-height // scale), -(-width // scale), 3)
    thumbnail = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    stats = compute_stats(thumbnail, width, height)
    assert np.isfinite([stats.hues, stats.outline]).all()
    assert all(0 <= share <= 1 for share in (stats.chroma, stats.paper, stats.uniform))
    assert len(stats.phash) == 64


def plain_hash(picture: Picture, *, mirrored: bool) -> str:
    """The signs of the lowest frequencies of the means of 32 x 32 cells."""
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)).astype(np.float64)
    side = len(grey) // 32
    cells = grey.reshape(32, side, 32, side).mean(axis=(1, 3))
    spectrum = dctn(cells[:, ::-1] if mirrored else cells, norm="ortho")
    places = [(v, u) for v in range(32) for u in range(32) if v + u > 0]
    lowest = sorted(places, key=lambda place: (sum(place), place))[:256]
    bits = [spectrum[place] > 1 for place in lowest]
    return np.packbits(bits).tobytes().hex()


def plain_hues(picture: Picture) -> float:
    """The mean distance of R - Y and B - Y from their quadratic fit over Y, where there is ink."""
    inked = picture.reshape(-1, 3)[picture.min(axis=2).ravel() < 240].astype(float)
    luma = inked @ [0.299, 0.587, 0.114]
    red, blue = inked[:, 0] - luma, inked[:, 2] - luma
    off = [values - np.polyval(np.polyfit(luma, values, 2), luma) for values in (red, blue)]
    return float(np.hypot(*off).mean())


def plain_outline(picture: Picture) -> float:
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)).astype(float)
    gradients = [sobel(grey, axis, mode="mirror") for axis in (0, 1)]
    return float(np.hypot(*gradients).sum() / (255 - grey).sum())


@pytest.mark.parametrize("seed", range(3))
def test_stats_are_what_their_definitions_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rough = rng.integers(0, 256, (6, 6, 3), np.uint8)
    picture = np.asarray(cv2.resize(rough, (96, 96), interpolation=cv2.INTER_CUBIC), np.uint8)
    picture[:30, :40] = 255
    picture[40:44, :50] = rng.integers(0, 256, 3)
    stats = compute_stats(picture, 96, 96)
    spread = np.ptp(picture, axis=2)
    near = np.abs(picture - picture.mean(axis=(0, 1))).max(axis=2)
    assert stats.chroma == round((spread > 16).mean(), 4)
    assert stats.paper == round((picture.min(axis=2) >= 240).mean(), 4)
    assert stats.uniform == pytest.approx((near <= 8).mean(), abs=0.01)
    assert stats.outline == pytest.approx(plain_outline(picture), rel=1e-3)
    for found, mirrored in ((stats.phash, False), (stats.phash_mirrored, True)):
        differing = (int(found, 16) ^ int(plain_hash(picture, mirrored=mirrored), 16)).bit_count()
        assert differing <= 1  # a coefficient at the threshold


def test_hues_are_the_distance_from_a_quadratic_fit() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (40, 96, 3), np.uint8)
    picture[:10] = 245  # paper does not count
    assert compute_stats(picture, 96, 40).hues == pytest.approx(plain_hues(picture), rel=0.05)


@pytest.mark.parametrize(("level", "paper"), [(239, 0.0), (240, 1.0)])
def test_paper_is_nearly_white(level: int, paper: float) -> None:
    assert stats_of_png(flat((255, level, 255))).paper == paper


@pytest.mark.parametrize(("spread", "chroma"), [(16, 0.0), (17, 1.0)])
def test_colour_begins_at_a_spread_of_the_channels(spread: int, chroma: float) -> None:
    for color in ((100 + spread, 100, 105), (105, 100, 100 + spread), (100, 100 + spread, 100)):
        assert stats_of_png(flat(color)).chroma == chroma


def test_pixels_near_the_mean_are_uniform() -> None:
    for difference, uniform in ((16, 1.0), (18, 0.0)):
        picture = flat((100, 100, 100), 96, 96)
        picture[:48] += np.uint8(difference)  # each half is half of it from the mean
        assert stats_of_png(picture).uniform == uniform


def test_large_thumbnails_are_halved_with_their_sides_rounded_up() -> None:
    rough = np.random.default_rng(5).integers(0, 256, (9, 7, 3), np.uint8)
    whole = np.asarray(cv2.resize(rough, (319, 641), interpolation=cv2.INTER_CUBIC), np.uint8)
    padded = np.pad(whole, ((0, 3), (0, 1), (0, 0)), mode="edge")
    halved = padded.reshape(161, 4, 80, 4, 3).mean(axis=(1, 3)).round().astype(np.uint8)
    one, other = compute_stats(whole, 319, 641), compute_stats(halved, 319, 641)
    assert hash_distance(one, other) <= 8
    assert one.chroma == pytest.approx(other.chroma, abs=0.005)
    assert one.outline == pytest.approx(other.outline, rel=0.02)


def test_numbers_have_four_digits(drawings: dict[int, Drawing]) -> None:
    stats = stats_of_png(drawings[1].color)
    for value in (stats.chroma, stats.hues, stats.paper, stats.uniform, stats.outline):
        assert value == round(value, 4)
    assert any(round(value, 3) != value for value in (stats.chroma, stats.hues, stats.outline))


def test_thumbnail_of_the_largest_side_is_not_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    halved = []
    monkeypatch.setattr(picture_stats, "_halve", lambda picture: halved.append(1) or picture[::2])
    for height in (160, 161):
        compute_stats(flat((1, 2, 3), height, 30), 30, height)
    assert len(halved) == 1
