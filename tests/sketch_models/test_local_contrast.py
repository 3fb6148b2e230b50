"""Local contrast: a line looks the same in the dark, and a flat picture is nothing."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketch_models.local_contrast import RADIUS, normalize


def texture(channels: int = 3, height: int = 90, width: int = 120) -> np.ndarray:
    """Return squares of strong contrast, about black to white."""
    rng = np.random.default_rng(0)
    squares = rng.integers(0, 256, (height // 6, width // 6, channels), np.uint8)
    large = cv2.resize(squares, (width, height), interpolation=cv2.INTER_NEAREST)
    return large if channels == 3 else large.reshape(height, width)


@settings(max_examples=40)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    channels=st.sampled_from((0, 1, 3)),
    seed=st.integers(0, 99),
)
def test_there_is_a_plane_per_channel_and_one_of_the_deviation(
    height: int, width: int, channels: int, seed: int
) -> None:
    shape = (height, width, channels) if channels else (height, width)
    picture = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    planes = normalize(picture)
    assert planes.shape == (max(channels, 1) + 1, height, width)
    assert planes.dtype == np.float32
    assert planes.flags["C_CONTIGUOUS"]
    assert np.isfinite(planes).all()
    assert np.abs(planes[:-1]).max() < 20
    assert np.abs(planes[-1]).max() < 1.3


@pytest.mark.parametrize("value", [0, 1, 77, 255])
@pytest.mark.parametrize("shape", [(50, 60), (50, 60, 3), (1, 1), (3, 200, 3)])
def test_a_flat_picture_is_zero(shape: tuple[int, ...], value: int) -> None:
    planes = normalize(np.full(shape, value, np.uint8))
    np.testing.assert_allclose(planes[:-1], 0, atol=2e-3)
    assert planes[-1].max() < -0.7  # no contrast
    assert np.ptp(planes[-1]) < 0.05


@pytest.mark.parametrize("channels", [1, 3])
def test_a_dark_picture_has_nearly_the_same_relative_channels(channels: int) -> None:
    bright = texture(channels)
    dark = (bright * 0.5).round().astype(np.uint8)
    night = (bright * 0.1).round().astype(np.uint8)
    relative, darker, darkest = (normalize(picture)[:-1] for picture in (bright, dark, night))
    assert relative.std() == pytest.approx(0.95, abs=0.1)
    np.testing.assert_allclose(darker, 0.95 * relative, atol=0.12)
    assert np.corrcoef(relative.ravel(), darkest.ravel())[0, 1] > 0.998
    assert darkest.std() / relative.std() > 0.6  # while the picture has a tenth of the contrast


def test_the_deviation_is_in_the_last_plane() -> None:
    bright = texture()
    planes = [normalize((bright * gain).astype(np.uint8))[-1] for gain in (1.0, 0.3, 0.1, 0.02)]
    means = [float(plane.mean()) for plane in planes]
    assert means == sorted(means, reverse=True)
    half = bright.copy()
    half[:, :60] = 128
    deviation = normalize(half)[-1]
    assert deviation[:, -10:].mean() > deviation[:, :10].mean() + 0.5


def test_grey_is_a_colour_of_three_equal_channels() -> None:
    grey = texture(1)
    one, three = normalize(grey), normalize(np.repeat(grey[..., None], 3, axis=2))
    for channel in range(3):
        np.testing.assert_allclose(three[channel], one[0], atol=1e-4)
    np.testing.assert_allclose(three[-1], one[-1], atol=1e-4)
    np.testing.assert_array_equal(normalize(grey[..., None]), one)


def test_channels_keep_their_order_and_their_hue() -> None:
    picture = np.full((60, 60, 3), 100, np.uint8)
    picture[30, :, 0] = 200
    red, green, blue, _ = normalize(picture)
    assert red[30].min() > 1
    np.testing.assert_allclose(green, 0, atol=2e-3)
    np.testing.assert_allclose(blue, 0, atol=2e-3)


def test_nothing_beyond_two_radii_counts() -> None:
    picture = texture(3, 60, 240)
    changed = picture.copy()
    changed[:, 200:] = 0
    far = 200 - 2 * RADIUS
    before, after = normalize(picture), normalize(changed)
    np.testing.assert_allclose(after[..., :far], before[..., :far], atol=1e-4)
    assert np.abs(after[..., far : far + 20] - before[..., far : far + 20]).max() > 1e-3
