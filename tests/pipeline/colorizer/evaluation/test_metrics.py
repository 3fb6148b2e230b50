"""Metrics: known values, and an order of pictures as people would give."""

import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from pipeline.colorizer.evaluation import metrics
from pipeline.sample_booru.artist.draw import draw


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return np.float32(cv2.resize(draw(7).color, (180, 256), interpolation=cv2.INTER_AREA)) / 255


def noisy(picture: np.ndarray, amount: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, amount, picture.shape)
    return np.clip(picture + noise, 0, 1).astype(np.float32)


def test_psnr_of_a_known_error() -> None:
    black, grey = np.zeros((8, 8, 3), np.float32), np.full((8, 8, 3), 0.1, np.float32)
    assert metrics.psnr(grey, black) == pytest.approx(20, abs=1e-4)  # 10 log10(1 / 0.1^2)
    assert metrics.psnr(black, black) == 99


@pytest.mark.parametrize("metric", [metrics.psnr, metrics.ssim, metrics.ms_ssim])
def test_more_noise_is_worse(
    metric: Callable[[np.ndarray, np.ndarray], float], truth: np.ndarray
) -> None:
    values = [metric(noisy(truth, amount), truth) for amount in (0.0, 0.02, 0.1, 0.4)]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4


@pytest.mark.parametrize("metric", [metrics.ssim, metrics.ms_ssim])
def test_similarity_of_a_picture_to_itself_is_1(
    metric: Callable[[np.ndarray, np.ndarray], float], truth: np.ndarray
) -> None:
    assert metric(truth, truth) == pytest.approx(1)


def test_ssim_of_flat_pictures_is_their_luminance_term() -> None:
    a, b = np.full((32, 32, 3), 0.4, np.float32), np.full((32, 32, 3), 0.6, np.float32)
    expected = (2 * 0.4 * 0.6 + 1e-4) / (0.4**2 + 0.6**2 + 1e-4)
    assert metrics.ssim(a, b) == pytest.approx(expected, abs=1e-5)
    # The luminance counts at the coarsest scale alone, to the power of that scale's weight.
    assert metrics.ms_ssim(a, b) == pytest.approx(expected ** (0.2856 / 0.3304), abs=1e-4)


@pytest.mark.parametrize("shape", [(11, 11), (10, 40), (12, 300), (40, 33), (512, 512)])
def test_ms_ssim_takes_pictures_of_any_size(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).random((*shape, 3), np.float32)
    assert metrics.ms_ssim(picture, picture) == pytest.approx(1)
    assert 0 <= metrics.ms_ssim(1 - picture, picture) < 0.5


def test_hint_difference_ignores_pixels_without_hints() -> None:
    truth, result = np.ones((9, 9, 3), np.float32), np.ones((9, 9, 3), np.float32)
    result[5:] = 0  # black instead of white: a CIEDE2000 of 100
    mask = np.zeros((9, 9), bool)
    assert math.isnan(metrics.hint_difference(result, truth, mask))
    mask[:2] = True
    assert metrics.hint_difference(result, truth, mask) == 0
    mask[7:] = True
    assert metrics.hint_difference(result, truth, mask) == pytest.approx(50, abs=0.1)


def test_line_f1_is_lower_for_lost_lines() -> None:
    drawing = draw(11)
    shape = (180, 256)
    line = cv2.resize(drawing.line, shape, interpolation=cv2.INTER_AREA)
    truth = np.float32(cv2.resize(drawing.color, shape, interpolation=cv2.INTER_AREA)) / 255
    blurred = cv2.GaussianBlur(truth, (0, 0), 6)
    kept, lost = metrics.line_f1(truth, line), metrics.line_f1(blurred, line)
    assert kept == pytest.approx(0.844, abs=0.01)  # edges between colours are found too
    assert lost < 0.6 * kept
    assert metrics.line_f1(np.ones_like(truth), line) == 0


def page(*columns: int, grey: int = 0) -> np.ndarray:
    """Return a page of the size at which lines are detected, with upright lines of 3 pixels."""
    line = np.full((384, 384), 255, np.uint8)
    for column in columns:
        line[20:-20, column - 1 : column + 2] = grey
    return line


def colored(line: np.ndarray) -> np.ndarray:
    return np.repeat(line[..., None], 3, axis=2).astype(np.float32) / 255


@pytest.mark.parametrize(("shift", "f1"), [(0, 1.0), (3, 1.0), (-3, 1.0), (4, 0.0), (-5, 0.0)])
def test_line_is_kept_within_a_128th_of_the_long_side(shift: int, f1: float) -> None:
    assert metrics.line_f1(colored(page(100 + shift)), page(100)) == pytest.approx(f1, abs=0.01)


def test_line_f1_falls_as_much_for_new_lines_as_for_lost_ones() -> None:
    one, two, three = page(100), page(100, 200), page(50, 150, 250)
    assert metrics.line_f1(colored(two), one) == pytest.approx(2 / 3, abs=0.01)
    assert metrics.line_f1(colored(one), two) == pytest.approx(2 / 3, abs=0.01)
    assert metrics.line_f1(colored(page(100, 200, 300)), one) == pytest.approx(1 / 2, abs=0.01)
    assert metrics.line_f1(colored(three), two) == 0


@pytest.mark.parametrize(("grey", "middle", "f1"), [(176, 0.45, 1.0), (208, 0.20, 0.0)])
def test_faint_line_counts_if_its_ink_is_above_the_threshold(
    grey: int, middle: float, f1: float
) -> None:
    faint = page(100, grey=grey)
    (ink,) = metrics._XDOG.lines([np.repeat(faint[..., None], 3, axis=2)])
    assert ink[192].max() == pytest.approx(middle, abs=0.02)  # the ends are darker
    assert metrics.line_f1(colored(faint), page(100)) == pytest.approx(f1, abs=0.01)


def test_diversity_is_the_mean_over_pairs() -> None:
    white, black = np.ones((8, 8, 3), np.float32), np.zeros((8, 8, 3), np.float32)
    assert metrics.diversity([white, white]) == 0
    assert metrics.diversity([white, black]) == pytest.approx(100, abs=0.1)
    assert metrics.diversity([white, white, black]) == pytest.approx(200 / 3, abs=0.1)


@pytest.mark.parametrize(("grey", "f1"), [(127, 1.0), (128, 0.0)])
def test_line_art_is_ink_below_half_of_the_range(grey: int, f1: float) -> None:
    assert metrics.line_f1(colored(page(100)), page(100, grey=grey)) == pytest.approx(f1, abs=0.01)


def test_ssim_is_that_of_the_papers() -> None:
    """Both are written out for grey noise, at the windows that lie within the picture."""
    rng = np.random.default_rng(2)
    one = rng.random((64, 48), np.float32)
    other = (0.7 * one + 0.3 * rng.random((64, 48), np.float32)).astype(np.float32)
    offsets = np.arange(-5, 6)
    kernel = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(kernel, kernel) / kernel.sum() ** 2

    def blurred(x: np.ndarray) -> np.ndarray:
        return np.einsum(
            "yxij,ij->yx", np.lib.stride_tricks.sliding_window_view(x, (11, 11)), window
        )

    def terms(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean_a, mean_b = blurred(a), blurred(b)
        variances = blurred(a * a) - mean_a**2 + blurred(b * b) - mean_b**2
        contrast = (2 * (blurred(a * b) - mean_a * mean_b) + 0.03**2) / (variances + 0.03**2)
        return (2 * mean_a * mean_b + 0.01**2) / (mean_a**2 + mean_b**2 + 0.01**2), contrast

    def halved(x: np.ndarray) -> np.ndarray:
        return x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2).mean(axis=(1, 3))

    luminance, contrast = terms(one.astype(float), other.astype(float))
    colored_pair = [np.repeat(x[..., None], 3, axis=2) for x in (other, one)]
    assert metrics.ssim(*colored_pair) == pytest.approx((luminance * contrast).mean(), abs=1e-3)
    weights = np.array([0.0448, 0.2856, 0.3001]) / (0.0448 + 0.2856 + 0.3001)  # 48, 24, 12 pixels
    expected = 1.0
    a, b = one.astype(float), other.astype(float)
    for scale, weight in enumerate(weights):
        luminance, contrast = terms(a, b)
        expected *= ((luminance * contrast) if scale == 2 else contrast).mean() ** weight
        a, b = halved(a), halved(b)
    assert metrics.ms_ssim(*colored_pair) == pytest.approx(expected, abs=1e-4)
