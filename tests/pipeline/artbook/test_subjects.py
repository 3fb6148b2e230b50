"""Subjects are drawn as often as they say, or as they are asked for."""

from collections import Counter

import numpy as np
import pytest

from pipeline.artbook.subjects import SUBJECTS, TEST_SUBJECTS, draw_subject
from tests.pipeline.artbook.conftest import make_canvas


def test_shares_add_up() -> None:
    assert sum(share for share, _ in SUBJECTS.values()) == pytest.approx(1)


def test_subjects_are_drawn_by_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    for name, (share, _) in list(SUBJECTS.items()):
        monkeypatch.setitem(SUBJECTS, name, (share, lambda *_, name=name: drawn.append(name)))
    canvas, rng = make_canvas(size=64), np.random.default_rng(0)
    names = [draw_subject(canvas, rng, 64, None) for _ in range(600)]
    assert names == drawn
    for name, (share, _) in SUBJECTS.items():
        assert Counter(names)[name] / 600 == pytest.approx(share, abs=0.06)
    for name in SUBJECTS:
        assert draw_subject(canvas, rng, 64, name) == drawn[-1] == name


@pytest.mark.parametrize("subject", [*SUBJECTS, *TEST_SUBJECTS])
def test_a_subject_has_lines_ink_and_areas(subject: str) -> None:
    canvas = make_canvas(size=96)
    draw_subject(canvas, np.random.default_rng(2), 96, subject)
    assert (canvas.line < 128).any()
    assert (canvas.strokes > 128).any()
    assert canvas.area.any()
    assert canvas.area.max() <= canvas.state.areas


def test_nothing_draws_the_characters_of_tests_unless_it_asks_for_them() -> None:
    assert not SUBJECTS.keys() & TEST_SUBJECTS.keys()
    canvas, rng = make_canvas(size=64), np.random.default_rng(0)
    assert {draw_subject(canvas, rng, 64, None) for _ in range(12)} <= SUBJECTS.keys()
