"""Measures: known values, and that they order pictures as people would."""

import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from pipeline.colorizer.evaluation import metrics as measures
from pipeline.sample_booru.artist import draw


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return np.float32(cv2.resize(draw(7).color, (180, 256), interpolation=cv2.INTER_AREA)) / 255


def noisy(picture: np.ndarray, amount: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, amount, picture.shape)
    return np.clip(picture + noise, 0, 1).astype(np.float32)


def test_psnr_of_a_known_error() -> None:
    black, grey = np.zeros((8, 8, 3), np.float32), np.full((8, 8, 3), 0.1, np.float32)
    assert measures.psnr(grey, black) == pytest.approx(20, abs=1e-4)  # 10 log10(1 / 0.1^2)
    assert measures.psnr(black, black) == 99


@pytest.mark.parametrize("measure", [measures.psnr, measures.ssim, measures.ms_ssim])
def test_more_noise_is_worse(
    measure: Callable[[np.ndarray, np.ndarray], float], truth: np.ndarray
) -> None:
    values = [measure(noisy(truth, amount), truth) for amount in (0.0, 0.02, 0.1, 0.4)]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4


@pytest.mark.parametrize("measure", [measures.ssim, measures.ms_ssim])
def test_a_picture_is_all_like_itself(
    measure: Callable[[np.ndarray, np.ndarray], float], truth: np.ndarray
) -> None:
    assert measure(truth, truth) == pytest.approx(1)


def test_ssim_of_flat_pictures_is_their_luminance_term() -> None:
    a, b = np.full((32, 32, 3), 0.4, np.float32), np.full((32, 32, 3), 0.6, np.float32)
    expected = (2 * 0.4 * 0.6 + 1e-4) / (0.4**2 + 0.6**2 + 1e-4)
    assert measures.ssim(a, b) == pytest.approx(expected, abs=1e-5)
    # The luminance counts at the coarsest scale alone, to the power of that scale's weight.
    assert measures.ms_ssim(a, b) == pytest.approx(expected ** (0.2856 / 0.3304), abs=1e-4)


@pytest.mark.parametrize("shape", [(11, 11), (12, 300), (40, 33), (512, 512)])
def test_ms_ssim_takes_pictures_of_any_size(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).random((*shape, 3), np.float32)
    assert measures.ms_ssim(picture, picture) == pytest.approx(1)
    assert 0 <= measures.ms_ssim(1 - picture, picture) < 0.5


def test_hint_difference_looks_inside_the_hints_alone() -> None:
    truth, result = np.ones((9, 9, 3), np.float32), np.ones((9, 9, 3), np.float32)
    result[5:] = 0  # black instead of white: a CIEDE2000 of 100
    mask = np.zeros((9, 9), bool)
    assert math.isnan(measures.hint_difference(result, truth, mask))
    mask[:2] = True
    assert measures.hint_difference(result, truth, mask) == 0
    mask[7:] = True
    assert measures.hint_difference(result, truth, mask) == pytest.approx(50, abs=0.1)


def test_line_f1_sees_whether_lines_are_kept() -> None:
    drawing = draw(11)
    shape = (180, 256)
    line = cv2.resize(drawing.line, shape, interpolation=cv2.INTER_AREA)
    truth = np.float32(cv2.resize(drawing.color, shape, interpolation=cv2.INTER_AREA)) / 255
    blurred = cv2.GaussianBlur(truth, (0, 0), 6)
    kept, lost = measures.line_f1(truth, line), measures.line_f1(blurred, line)
    assert kept > 0.75
    assert lost < 0.6 * kept
    assert measures.line_f1(np.ones_like(truth), line) == 0


def test_diversity_is_the_mean_over_pairs() -> None:
    white, black = np.ones((8, 8, 3), np.float32), np.zeros((8, 8, 3), np.float32)
    assert measures.diversity([white, white]) == 0
    assert measures.diversity([white, black]) == pytest.approx(100, abs=0.1)
    assert measures.diversity([white, white, black]) == pytest.approx(200 / 3, abs=0.1)
