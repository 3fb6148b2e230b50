"""Patterns repeat at their step, have sharp rims, and look as they are called."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.artbook.pattern import PATTERNS, random_pattern


def patterns(
    kind: str, *, size: int = 200, step: float = 20.0, count: int = 12
) -> list[np.ndarray]:
    return [random_pattern(np.random.default_rng(seed), size, step, kind) for seed in range(count)]


@settings(max_examples=60)
@given(
    kind=st.sampled_from([None, *PATTERNS]),
    size=st.integers(8, 120),
    step=st.floats(4, 200),
    seed=st.integers(0, 999),
)
def test_a_pattern_is_a_cover_of_its_seed(
    kind: str | None, size: int, step: float, seed: int
) -> None:
    first, again = (random_pattern(np.random.default_rng(seed), size, step, kind) for _ in range(2))
    assert first.shape == (size, size)
    assert first.dtype == np.float32
    assert first.min() >= 0
    assert first.max() <= 1 + 1e-6
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("kind", PATTERNS)
def test_there_is_some_of_both_colours_with_sharp_rims(kind: str) -> None:
    for shown in patterns(kind):
        assert 0.005 < shown.mean() < 0.9
        assert np.ptp(shown) > 0.4
        between = (shown > 0.05) & (shown < 0.95) & (np.abs(shown - 0.5) > 0.01)
        if kind != "plaid":  # where two bands cross it is stronger
            assert between.mean() < 0.3


def test_kinds_look_as_they_are_called() -> None:
    def runs(line: np.ndarray) -> int:
        return int((np.diff((line > 0.5).astype(int)) > 0).sum())

    straight = [shown for shown in patterns("stripes") if np.ptp(shown, axis=0).max() < 1e-6]
    assert straight  # upright and not in folds
    for shown in straight:
        assert 9 <= runs(shown[0]) <= 11  # a step is 20 pixels
    for shown in patterns("checks"):
        assert shown.mean() == pytest.approx(0.5, abs=0.06)
    dots, diamonds = (np.mean([s.mean() for s in patterns(kind)]) for kind in ("dots", "diamonds"))
    assert 0.02 < diamonds < dots < 0.5
    assert len({round(float(shown.mean()), 3) for shown in patterns("shapes")}) > 6


def test_every_kind_is_drawn_if_none_is_named() -> None:
    shown = [random_pattern(np.random.default_rng(seed), 40, 9.0).mean() for seed in range(40)]
    assert np.ptp(shown) > 0.3
