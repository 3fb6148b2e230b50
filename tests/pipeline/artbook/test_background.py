"""Backgrounds have a size, a kind, and no lines."""

from collections import Counter

import numpy as np
import pytest

from pipeline.artbook import background as background_module
from pipeline.artbook.background import BACKGROUNDS, random_background, random_kind
from pipeline.sample_booru.artist.canvas import OVERSAMPLING
from tests.pipeline.artbook.conftest import SIZE, DrawScene


@pytest.mark.parametrize("size", [64, 101])
@pytest.mark.parametrize("kind", BACKGROUNDS)
def test_a_background_is_a_picture_of_its_seed(kind: str, size: int) -> None:
    first, again, other = (
        random_background(np.random.default_rng(seed), size, kind) for seed in (3, 3, 4)
    )
    assert first.shape == (size * OVERSAMPLING, size * OVERSAMPLING, 3)
    assert first.dtype == np.uint8
    assert first.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(first, again)
    if kind != "white":
        assert not np.array_equal(first, other)


def test_kinds_look_as_they_are_called() -> None:
    def many(kind: str) -> list[np.ndarray]:
        return [random_background(np.random.default_rng(seed), 64, kind) for seed in range(8)]

    assert all(np.ptp(picture) == 0 and picture.min() > 225 for picture in many("white"))
    assert all(np.ptp(picture, axis=(0, 1)).max() == 0 for picture in many("color"))
    assert all(np.median(picture) < 130 for picture in many("night"))
    assert all(np.ptp(picture) > 10 for picture in many("sky"))
    for picture in many("pattern"):  # sharp rims, paler than an outline
        steps = np.abs(np.diff(picture.astype(int), axis=1)).max(axis=(1, 2))
        assert np.median(steps) < 160
    visible = [
        max(np.abs(np.diff(picture.astype(int), axis=axis)).max() for axis in (0, 1)) > 3
        for picture in many("pattern")
    ]
    assert sum(visible) >= 5
    for picture in many("blurred"):  # nothing in it is sharp
        assert np.abs(np.diff(picture.astype(int), axis=0)).max() < 26


@pytest.mark.parametrize("size", [64, 384, 768])
def test_patterns_are_small(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dots as large as a face are things, and have lines."""
    steps: list[float] = []

    def no_pattern(_rng: np.random.Generator, side: int, step: float) -> np.ndarray:
        steps.append(step)
        return np.zeros((side, side), np.float32)

    monkeypatch.setattr(background_module, "random_pattern", no_pattern)
    for seed in range(40):
        random_background(np.random.default_rng(seed), size, "pattern")
    assert min(steps) >= 8
    assert max(steps) <= max(16, size / 8)


@pytest.mark.parametrize("kind", BACKGROUNDS)
def test_a_background_makes_no_lines(kind: str, draw_scene: DrawScene) -> None:
    plain = draw_scene()
    for seed in range(3):
        background = random_background(np.random.default_rng(seed), SIZE, kind)
        page = draw_scene(background=background)
        np.testing.assert_array_equal(page.lines, plain.lines)
        assert not np.array_equal(page.color, plain.color) or kind == "white"
        empty = draw_scene(lambda _: None, background=background)
        assert empty.lines.min() == 255
        assert empty.weight.min() == 1


def test_every_kind_is_drawn_now_and_then() -> None:
    rng = np.random.default_rng(0)
    kinds = Counter(random_kind(rng) for _ in range(400))
    assert set(kinds) == set(BACKGROUNDS)
    assert 70 < kinds["pattern"] < 130
