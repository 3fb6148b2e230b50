"""Pairs: of their seed, in colour, with line art from every source at the same place."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from pipeline.artbook.page import PLAIN_SHARE, Page, draw_page
from pipeline.artbook.subjects import TEST_SUBJECTS
from pipeline.pairs import pair as pair_module
from pipeline.pairs.pair import SOURCES, PairArtist
from sketch_models import STYLES

SIZE = 64


@pytest.fixture(scope="module")
def artist() -> PairArtist:
    return PairArtist()


def test_a_pair_is_of_its_seed(artist: PairArtist) -> None:
    first, again, other = (artist.draw(seed, SIZE) for seed in (3, 3, 4))
    assert first.tags == again.tags
    np.testing.assert_array_equal(first.color, again.color)
    for name, line in first.lines.items():
        np.testing.assert_array_equal(line, again.lines[name])
    assert not np.array_equal(first.color, other.color)


def test_a_pair_has_colour_and_line_art_of_every_source(artist: PairArtist) -> None:
    for seed in range(6):
        pair = artist.draw(seed, SIZE)
        assert pair.color.shape == (SIZE, SIZE, 3)
        assert pair.color.dtype == np.uint8
        assert np.percentile(pair.color, 98) - np.percentile(pair.color, 2) > 20
        assert set(pair.lines) == {f"{style}_{source}" for style in STYLES for source in SOURCES}
        for line in pair.lines.values():
            assert line.shape == (SIZE, SIZE)
            assert line.dtype == np.uint8
            assert line.min() < 200
        subject, paint, _ = pair.tags.split()
        assert subject in ("composition", "booru", "dicebear")
        assert paint not in ("line_art", "screentone")


@pytest.mark.parametrize("subject", TEST_SUBJECTS)
def test_characters_of_the_test_sets_can_be_asked_for(artist: PairArtist, subject: str) -> None:
    pair = artist.draw(1, SIZE, subject)
    assert pair.tags.split()[0] == subject


def test_lines_of_all_sources_are_those_of_the_picture(artist: PairArtist) -> None:
    """Most ink of the networks lies on the known lines, on the average of a few pictures."""
    shares = []
    for seed in range(8):
        lines = artist.draw(seed, 128).lines
        known = lines["pured_known"] < 250
        near = np.zeros_like(known)
        for dy in range(-2, 3):
            for dx in range(-2, 3):
                near |= np.roll(known, (dy, dx), (0, 1))
        shares.append(near[lines["original_tracer"] < 128].mean())
    assert np.mean(shares) > 0.7


def test_empty_pages_are_passed_over(artist: PairArtist, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []

    def first_is_blank(seed: int, size: int, **options: object) -> object:
        seeds.append(seed)
        page = draw_page(seed, size, **options)  # type: ignore[arg-type]
        if len(seeds) > 1:
            return page
        return dataclasses.replace(page, color=np.full_like(page.color, 255))

    monkeypatch.setattr(pair_module, "draw_page", first_is_blank)
    artist.draw(2, SIZE)
    assert len(seeds) > 1
    assert len(set(seeds)) == len(seeds)


def test_pictures_are_as_line_art_can_tell(
    artist: PairArtist, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A colorizer that is trained on noise and wide outlines makes noise and dark rims."""
    damaged, shares, widths = [], [], []

    def watch(seed: int, size: int, **options: Any) -> Page:
        page = draw_page(seed, size, **options)
        damaged.append(options["damaged"])
        shares.append(options["plain_share"])
        widths.append(page.width * SIZE / size)
        return page

    monkeypatch.setattr(pair_module, "draw_page", watch)
    for seed in range(8):
        artist.draw(seed, SIZE)
    assert set(damaged) == {False}
    assert min(shares) > PLAIN_SHARE
    assert 1.45 < max(widths) <= 1.55  # pages have whole numbers of pixels
