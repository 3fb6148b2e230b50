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

from pipeline.sample_booru.artist.draw import Drawing, draw
from pipeline.sample_booru.files import encode
from pipeline.screen.picture_stats import BITS, Measures, measure

IDS = (1, 4, 7, 9, 12, 64, 108, 171, 178, 180)
Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def drawings() -> dict[int, Drawing]:
    return {post_id: draw(post_id) for post_id in IDS}


def eighth(content: bytes) -> Picture:
    """A JPEG at 1/8, as it is decoded while it is checked."""
    with Image.open(io.BytesIO(content)) as image:
        image.draft("RGB", (1, 1))
        return np.asarray(image.convert("RGB"))


def of_jpeg(picture: Picture, quality: int = 92) -> Measures:
    height, width = picture.shape[:2]
    content = encode(Drawing(picture, picture[..., 0]), "jpg", quality)
    return measure(eighth(content), width, height)


def of_png(picture: Picture) -> Measures:
    return measure(picture, picture.shape[1], picture.shape[0])


def apart(one: Measures, other: Measures) -> int:
    return (int(one.phash, 16) ^ int(other.phash, 16)).bit_count()


def flat(color: tuple[int, int, int], height: int = 150, width: int = 107) -> Picture:
    return np.full((height, width, 3), color, np.uint8)


def test_neither_the_format_nor_the_size_of_a_file_matters(drawings: dict[int, Drawing]) -> None:
    for drawing in drawings.values():
        whole = drawing.color[3:-2, 2:]  # sides that are no multiples of 8
        size = (whole.shape[1] // 2, whole.shape[0] // 2)
        small = np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8)
        one = of_jpeg(whole)
        assert apart(one, of_jpeg(whole, 60)) <= 6
        assert apart(one, of_png(whole)) <= 6
        assert apart(one, of_jpeg(small)) <= 12
        for other in (of_jpeg(whole, 60), of_png(whole), of_jpeg(small)):
            assert other.chroma == pytest.approx(one.chroma, abs=0.03)
            assert other.paper == pytest.approx(one.paper, abs=0.06)
            assert other.hues == pytest.approx(one.hues, rel=0.2)


def test_light_hardly_changes_the_hash(drawings: dict[int, Drawing]) -> None:
    for drawing in drawings.values():
        dark = (drawing.color * 0.85).astype(np.uint8)
        assert apart(of_jpeg(drawing.color), of_jpeg(dark)) <= 8


def test_different_drawings_are_far_apart(drawings: dict[int, Drawing]) -> None:
    measures = [of_jpeg(drawing.color) for drawing in drawings.values()]
    distances = [apart(a, b) for row, a in enumerate(measures) for b in measures[:row]]
    assert min(distances) > 40
    assert np.mean(distances) == pytest.approx(BITS / 2, abs=15)


def test_line_art_is_told_from_shades_of_grey(drawings: dict[int, Drawing]) -> None:
    for drawing in drawings.values():
        grey = cv2.cvtColor(cv2.cvtColor(drawing.color, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        shades = of_jpeg(np.asarray(grey, np.uint8))
        lines = of_jpeg(np.repeat(drawing.line[..., None], 3, axis=2))
        assert lines.outline > 1.3 * shades.outline
        assert shades.hues < 0.2
        assert lines.hues < 0.2


@pytest.mark.parametrize("color", [(255, 255, 255), (0, 0, 0), (200, 30, 40), (128, 128, 128)])
def test_a_flat_picture_has_no_hash(color: tuple[int, int, int]) -> None:
    measures = of_png(flat(color))
    assert measures.phash == "0" * 64
    assert measures.uniform == 1
    assert measures.hues == pytest.approx(0, abs=0.01)


def test_shares_are_of_all_pixels() -> None:
    picture = flat((255, 255, 255), 96, 96)
    picture[:24] = (200, 40, 40)
    measures = of_png(picture)
    assert measures.chroma == pytest.approx(0.25)
    assert measures.paper == pytest.approx(0.75)
    assert measures.uniform == 0  # the mean is a pink that is nowhere


def test_one_ink_has_no_hues_and_two_of_the_same_brightness_have() -> None:
    ramp = np.linspace(0, 1, 96)[None, :, None] * np.ones((96, 1, 1))
    ink = (np.array([60, 20, 90]) + ramp * np.array([190, 220, 130])).astype(np.uint8)
    assert of_png(ink).hues < 0.5
    assert of_png(ink).chroma > 0.9
    two = ink.copy()
    two[::2] = two[::2, :, ::-1]
    assert of_png(two).hues > 10


def test_it_is_plain_data(drawings: dict[int, Drawing]) -> None:
    values = asdict(of_jpeg(drawings[1].color))
    assert {type(value) for value in values.values()} == {int, float, str}
    assert len(values["phash"]) == BITS // 4
    assert (values["height"], values["width"]) == drawings[1].color.shape[:2]


@given(
    height=st.integers(1, 400), width=st.integers(1, 400), scale=st.sampled_from((1, 8)),
    seed=st.integers(0, 9),
)  # fmt: skip
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_shape_is_measured(height: int, width: int, scale: int, seed: int) -> None:
    shape = (-(-height // scale), -(-width // scale), 3)
    thumbnail = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    measures = measure(thumbnail, width, height)
    assert np.isfinite([measures.hues, measures.outline]).all()
    assert all(0 <= share <= 1 for share in (measures.chroma, measures.paper, measures.uniform))
    assert len(measures.phash) == 64
