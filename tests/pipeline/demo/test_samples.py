"""The sample drawings: which they are, and what is listed of them."""

import io

import numpy as np
import pytest
from PIL import Image

from pipeline.colorizer.hints import Hints
from pipeline.demo import samples
from pipeline.picture import decode, decode_grey, header_size
from pipeline.sample_booru.artist.character import character
from pipeline.sample_booru.catalogue import post, post_ids
from pipeline.sample_booru.tags import visible_tags

RECIPE = {"white_background", "solo", "upper_body"}


def test_samples_are_not_among_the_training_posts() -> None:
    assert not set(samples.POST_IDS) & set(post_ids(samples.MAX_TRAINING_POSTS))
    assert set(samples.POST_IDS) <= set(post_ids(samples.MAX_TRAINING_POSTS + 600))
    assert len(set(samples.POST_IDS)) == 8


@pytest.mark.parametrize("post_id", samples.POST_IDS)
def test_samples_have_the_tags_of_the_recipe(post_id: int) -> None:
    assert set(visible_tags(character(post_id))) >= RECIPE
    assert set(post(post_id).tags.split()) >= RECIPE


def test_listed_size_is_the_drawings() -> None:
    for listed in samples.list_samples()[:5]:
        sample = samples.load_sample(str(listed["id"]))
        width, height = int(listed["width"]), int(listed["height"])
        assert header_size(sample.line) == header_size(sample.color) == (width, height)
        assert max(width, height) == samples.LONG_SIDE
        line, color = decode_grey(sample.line), decode(sample.color)
        assert line.shape == color.shape[:2] == (height, width)
        assert line.min() < 60
        assert np.median(line) == 255  # mostly paper
        hints = Hints.from_rgba(Image.open(io.BytesIO(sample.hints)))
        assert hints.mask.shape == line.shape
        assert 0.0005 < hints.mask.mean() < 0.05
        off = np.abs(hints.color[hints.mask].astype(int) - color[hints.mask])
        assert np.median(off) <= 8  # of the colours below them
        assert samples.load_sample(str(listed["id"])) is sample  # kept in memory


def test_every_sample_has_its_own_address() -> None:
    addresses = [listed[name] for listed in samples.list_samples() for name in samples.PICTURES]
    assert len(set(addresses)) == len(addresses) == 33
    assert all(str(address).startswith("/api/samples/") for address in addresses)
