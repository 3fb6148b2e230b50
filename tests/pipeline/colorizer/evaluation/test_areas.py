"""What a user sees of hints, on drawings whose areas are known."""

import math

import numpy as np
import pytest

from pipeline.colorizer.areas import find_areas
from pipeline.colorizer.evaluation.areas import area_metrics, hinted_areas
from pipeline.colorizer.hints import Hints

SIZE = 128
RED, BLUE, GREY = (200, 30, 40), (40, 60, 200), (128, 128, 128)


def two_rooms(gap: int = 0) -> np.ndarray:
    """Return a page whose left and right are parted by a line, with a gap in its middle."""
    line = np.full((SIZE, SIZE), 255, np.uint8)
    line[:, 63:65] = 0
    line[60 : 60 + gap, 63:65] = 255
    return line


def picture(left: tuple[int, int, int], right: tuple[int, int, int]) -> np.ndarray:
    color = np.empty((SIZE, SIZE, 3), np.float32)
    color[:, :64], color[:, 64:] = np.array(left) / 255, np.array(right) / 255
    return color


def hint(color: tuple[int, int, int] = RED, x: int = 20, y: int = 40) -> Hints:
    hints = Hints.none(SIZE, SIZE)
    hints.mask[y : y + 6, x : x + 6], hints.color[y : y + 6, x : x + 6] = True, color
    return hints


def test_areas_with_several_colours_are_left_out() -> None:
    areas = find_areas(two_rooms())
    (area,) = hinted_areas(areas, hint())
    assert tuple(area.color) == RED
    assert area.mask[64, 10]
    assert not area.mask[64, 120]
    both = hint()
    both.mask[100:104, 20:24], both.color[100:104, 20:24] = True, BLUE
    assert not list(hinted_areas(areas, both))
    on_ink = Hints.none(SIZE, SIZE)
    on_ink.mask[:, 63:65] = True
    assert not list(hinted_areas(areas, on_ink))


def measure(result: np.ndarray, hints: Hints | None = None) -> dict[str, float]:
    return area_metrics(result, picture(RED, BLUE), two_rooms(), hints or hint())


def test_the_truth_is_perfect() -> None:
    metrics = measure(picture(RED, BLUE))
    assert set(metrics) == {"area_difference", "unevenness", "leakage"}
    assert metrics["area_difference"] == pytest.approx(0, abs=0.01)
    assert metrics["unevenness"] == pytest.approx(1)
    assert metrics["leakage"] == 0


def test_without_hints_nothing_can_be_said() -> None:
    assert all(map(math.isnan, measure(picture(RED, BLUE), Hints.none(SIZE, SIZE)).values()))


def test_an_area_of_another_colour_is_far_from_its_hint() -> None:
    assert measure(picture(GREY, BLUE))["area_difference"] > 25
    assert measure(picture((205, 34, 40), BLUE))["area_difference"] < 2


def test_a_blotch_is_uneven() -> None:
    blotched = picture(RED, BLUE)
    blotched[30:60, 10:40] = np.array(GREY) / 255
    assert measure(blotched)["unevenness"] > 5
    textured = picture(RED, BLUE)
    textured[::2, :64] *= 0.8
    assert measure(textured)["unevenness"] > 3
    same = area_metrics(textured, textured, two_rooms(), hint())
    assert same["unevenness"] == pytest.approx(1)  # as uneven as the original


@pytest.mark.parametrize(("width", "least", "most"), [(0, 0, 0), (2, 0.1, 0.8), (63, 0.99, 1)])
def test_colour_beyond_a_line_has_leaked(width: int, least: float, most: float) -> None:
    leaking = picture(RED, BLUE)
    leaking[:, 64 : 65 + width] = np.array(RED) / 255
    assert least <= measure(leaking)["leakage"] <= most


@pytest.mark.parametrize(("own", "counts"), [((230, 60, 40), False), (BLUE, True)])
def test_a_neighbour_with_a_hint_of_the_same_colour_has_it_of_its_own(
    own: tuple[int, int, int], counts: bool
) -> None:
    hints = hint()
    beyond = hint(own, x=90)
    hints.mask[beyond.mask], hints.color[beyond.mask] = True, own
    leakage = measure(picture(RED, RED), hints)["leakage"]
    if counts:  # red has leaked over the line, blue has not
        assert leakage == pytest.approx(0.5, abs=0.1)
    else:
        assert math.isnan(leakage)


def test_where_the_neighbour_has_the_colour_of_the_hint_nothing_leaks() -> None:
    metrics = area_metrics(picture(RED, RED), picture(RED, RED), two_rooms(), hint())
    assert math.isnan(metrics["leakage"])
