"""Examples: seeds of pages, and pictures of the validation folder."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.artbook.page import draw_page
from pipeline.artbook.sketch import draw_sketch
from pipeline.line_training.example import (
    TRAINING,
    VALIDATION,
    draw_example,
    page_seed,
    read_example,
)
from pipeline.line_training.validation import find_pairs
from sketch_models.errors import ConfigError
from tests.pipeline.line_training.conftest import WriteFolder


def test_no_two_pages_have_one_seed() -> None:
    seeds = {
        page_seed(seed, kind, index)
        for seed in (0, 1)
        for kind in (TRAINING, VALIDATION)
        for index in range(500)
    }
    assert len(seeds) == 2000
    assert all(0 <= seed < 2**63 for seed in seeds)


@pytest.mark.parametrize("network", ["tracer", "inker"])
def test_the_artbook_draws_what_the_networks_take(network: str) -> None:
    page = draw_example(network, 5, 96)
    assert page.picture.shape == ((96, 96, 3) if network == "tracer" else (96, 96))
    assert page.picture.dtype == page.lines.dtype == page.weight.dtype == np.uint8
    assert page.lines.shape == page.weight.shape == (96, 96)
    assert page.lines.min() < 64
    assert (page.lines > 128).mean() > 0.5
    assert set(np.unique(page.weight)) <= {0, 1, 2, 3}
    again = draw_example(network, 5, 96)
    assert np.array_equal(page.picture, again.picture)
    assert page.rows == again.rows


def test_pages_that_are_hard_to_learn_count_more_in_the_training_of_the_tracer() -> None:
    counts = set()
    for seed in range(60):
        page = draw_page(seed, 64)
        weight = draw_example("tracer", seed, 64).weight
        usual = 2 if page.ink == "light" else 1
        expected = 3 if page.width > 10 or page.patterned else usual
        np.testing.assert_array_equal(weight, page.weight * expected)
        counts.add((int(weight.max()), page.width > 10, page.patterned))
    assert counts >= {(1, False, False), (2, False, False), (3, True, False), (3, False, True)}


def test_faint_sketches_and_those_with_distractors_count_more() -> None:
    counts = set()
    for seed in range(150):
        sketch = draw_sketch(seed, 64)
        weight = draw_example("inker", seed, 64).weight
        is_hard = sketch.has_distractors or sketch.is_faint
        np.testing.assert_array_equal(weight, sketch.weight * (3 if is_hard else 1))
        counts.add((int(weight.max()), sketch.has_distractors, sketch.is_faint))
    assert counts >= {(1, False, False), (3, True, False), (3, False, True)}


def test_the_tracer_that_is_given_makes_sketches() -> None:
    def blank(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.zeros(picture.shape[:2], np.float32)

    seeds = [seed for seed in range(30) if draw_sketch(seed, 64, tracer=blank).source == "tracer"]
    assert seeds
    for seed in seeds:
        page = draw_example("inker", seed, 64, blank)
        assert page.picture.min() == 255
        assert "source/tracer" in page.rows
    assert draw_example("tracer", seeds[0], 64, blank).picture.min() < 255


def test_pictures_are_read_as_the_networks_take_them(write_folder: WriteFolder) -> None:
    folder = write_folder(1)
    color, sketch = (
        read_example(find_pairs(folder, name)[0], name) for name in ("tracer", "inker")
    )
    assert color.picture.shape == (50, 70, 3)
    stored = cv2.imread(str(folder / "1.color.png"))
    assert stored is not None
    assert np.array_equal(color.picture, stored[..., ::-1])
    assert sketch.picture.shape == sketch.lines.shape == sketch.weight.shape == (50, 70)
    assert sketch.lines.min() == 0
    assert sketch.picture.min() == 90
    assert color.rows == ("picture/1",)


def test_unusable_picture_is_one_sentence(write_folder: WriteFolder) -> None:
    folder = write_folder(1)
    (pair,) = find_pairs(folder, "tracer")
    cv2.imwrite(str(pair.lines), np.zeros((5, 5), np.uint8))
    with pytest.raises(ConfigError, match=r"1\.color\.png and 1\.lines\.png have different sizes"):
        read_example(pair, "tracer")
    pair.picture.write_bytes(b"no picture")
    with pytest.raises(ConfigError, match=r"1\.color\.png cannot be read \(not_a_picture"):
        read_example(pair, "tracer")
