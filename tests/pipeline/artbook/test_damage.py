"""Damage does what each of its options says, to any picture, and changes no lines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.artbook.damage import Damage, random_damage
from tests.pipeline.artbook.conftest import DrawScene


def apply(damage: Damage, picture: np.ndarray, seed: int = 0) -> np.ndarray:
    return damage.apply(picture, np.random.default_rng(seed))


def grey(value: float = 0.5, channels: int = 3, side: int = 128) -> np.ndarray:
    shape = (side, side, 3) if channels == 3 else (side, side)
    return np.full(shape, value, np.float32)


def stripes(period: int) -> np.ndarray:
    """Return vertical stripes, as (128, 128, 3)."""
    row = np.where(np.arange(128) % period < period / 2, 0.25, 0.75).astype(np.float32)
    return np.repeat(np.repeat(row[None, :, None], 128, axis=0), 3, axis=2)


def test_no_damage_rounds_to_levels_of_255() -> None:
    ramp = np.linspace(-0.2, 1.2, 128 * 128, dtype=np.float32).reshape(128, 128)
    expected = np.rint(np.clip(ramp, 0, 1) * 255)
    np.testing.assert_array_equal(apply(Damage(), ramp), expected.astype(np.uint8))


@settings(max_examples=50)
@given(
    seed=st.integers(0, 9999),
    height=st.integers(8, 70),
    width=st.integers(8, 70),
    channels=st.sampled_from((1, 3)),
)
def test_damage_keeps_the_shape_and_the_picture_it_is_given(
    seed: int, height: int, width: int, channels: int
) -> None:
    shape = (height, width, 3) if channels == 3 else (height, width)
    picture = np.random.default_rng(seed).random(shape, np.float32)
    before = picture.copy()
    damage = random_damage(np.random.default_rng(seed))
    first, again = apply(damage, picture), apply(damage, picture)
    assert first.shape == shape
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(picture, before)


def test_sharpening_leaves_the_picture_it_is_given() -> None:
    picture = stripes(16)
    apply(Damage(sharpen=1.0), picture)
    np.testing.assert_array_equal(picture, stripes(16))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("noise", [2.0, 6.0, 14.0])
def test_noise_has_its_deviation(noise: float, channels: int) -> None:
    noisy = apply(Damage(noise=noise), grey(channels=channels)).astype(float)
    assert noisy.std() == pytest.approx(noise, rel=0.2)
    assert noisy.mean() == pytest.approx(127.5, abs=0.5)
    assert not np.array_equal(noisy, apply(Damage(noise=noise), grey(channels=channels), seed=1))


def test_coarse_noise_is_as_strong_and_has_larger_grain() -> None:
    fine = apply(Damage(noise=8.0), grey(channels=1)).astype(float)
    coarse = apply(Damage(noise=8.0, noise_scale=2.5), grey(channels=1)).astype(float)
    assert coarse.std() == pytest.approx(8, rel=0.1)

    def likeness(noisy: np.ndarray) -> float:
        return float(np.corrcoef(noisy[:, 1:].ravel(), noisy[:, :-1].ravel())[0, 1])

    assert abs(likeness(fine)) < 0.1
    assert likeness(coarse) > 0.6


def test_only_chroma_noise_has_colours() -> None:
    grain = apply(Damage(noise=8.0), grey())
    chroma = apply(Damage(noise=8.0, chroma_noise=True), grey())
    assert np.ptp(grain, axis=2).max() == 0
    assert np.ptp(chroma, axis=2).mean() > 5


@pytest.mark.parametrize("levels", [2, 8, 63])
def test_levels_are_as_many_as_asked(levels: int) -> None:
    ramp = np.linspace(0, 1, 128 * 128, dtype=np.float32).reshape(128, 128)
    assert len(np.unique(apply(Damage(levels=levels), ramp))) == levels


def test_a_jpeg_of_low_quality_is_further_from_the_picture() -> None:
    picture = np.random.default_rng(0).random((64, 64, 3), np.float32)
    clean = apply(Damage(), picture).astype(int)
    errors = [
        np.abs(apply(Damage(quality=quality), picture) - clean).mean() for quality in (95, 50, 15)
    ]
    assert 0 < errors[0] < errors[1] < errors[2]


def test_a_jpeg_keeps_the_order_of_the_channels() -> None:
    red = np.zeros((32, 32, 3), np.float32)
    red[..., 0] = 1
    r, g, b = apply(Damage(quality=90), red).mean(axis=(0, 1))
    assert r > 240
    assert max(g, b) < 15


def test_shrinking_and_blurring_lose_what_is_fine_and_keep_what_is_coarse() -> None:
    for damage in (Damage(shrink=0.4), Damage(blur=1.5)):
        fine, coarse = apply(damage, stripes(2)).astype(float), apply(damage, stripes(32))
        assert fine.std() < 0.3 * apply(Damage(), stripes(2)).std()
        assert coarse.astype(float).std() > 0.85 * apply(Damage(), stripes(32)).std()


def test_sharpening_makes_halos() -> None:
    plain, sharp = apply(Damage(), stripes(32)), apply(Damage(sharpen=1.0), stripes(32))
    assert sharp.min() < plain.min() - 20
    assert sharp.max() > plain.max() + 20


@pytest.mark.parametrize(
    "damage",
    [
        Damage(shrink=0.4),
        Damage(blur=1.8),
        Damage(sharpen=2.5),
        Damage(noise=14, noise_scale=2.0, chroma_noise=True),
        Damage(levels=8),
        Damage(quality=15),
    ],
)
def test_damage_changes_no_lines(damage: Damage, draw_scene: DrawScene) -> None:
    plain, damaged = draw_scene(), draw_scene(damage=damage)
    assert not np.array_equal(damaged.color, plain.color)
    np.testing.assert_array_equal(damaged.lines, plain.lines)
    np.testing.assert_array_equal(damaged.weight, plain.weight)


def test_every_kind_of_damage_happens_and_none_always() -> None:
    many = [random_damage(np.random.default_rng(seed)) for seed in range(300)]
    for name in ("shrink", "blur", "sharpen", "noise", "chroma_noise", "levels", "quality"):
        share = np.mean([bool(getattr(damage, name)) for damage in many])
        assert 0.02 < share < 0.65, name
    assert 0.2 < np.mean([damage == Damage() for damage in many]) < 0.4
