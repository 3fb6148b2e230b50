"""The drawings to start from."""

import numpy as np
import pytest

from pipeline.demo import samples
from pipeline.picture import decode, decode_grey, header_size
from pipeline.sample_booru.artist.character import character
from pipeline.sample_booru.catalogue import post, post_ids
from pipeline.sample_booru.tags import visible_tags

RECIPE = {"white_background", "solo", "upper_body"}


def test_no_recipe_trains_on_them() -> None:
    assert not set(samples.IDS) & set(post_ids(samples.BEYOND))
    assert set(samples.IDS) <= set(post_ids(samples.BEYOND + 600))
    assert len(set(samples.IDS)) == 8


@pytest.mark.parametrize("post_id", samples.IDS)
def test_they_are_what_the_recipe_asks_for(post_id: int) -> None:
    assert set(visible_tags(character(post_id))) >= RECIPE
    assert set(post(post_id).tags.split()) >= RECIPE


def test_what_is_said_of_their_size_holds() -> None:
    for said in samples.describe()[:2]:
        drawn = samples.sample(int(said["id"]))
        width, height = int(said["width"]), int(said["height"])
        assert header_size(drawn.line) == header_size(drawn.color) == (width, height)
        assert max(width, height) == samples.LONG_SIDE
        line, color = decode_grey(drawn.line), decode(drawn.color)
        assert line.shape == color.shape[:2] == (height, width)
        assert line.min() < 60
        assert np.median(line) == 255  # mostly paper
        assert samples.sample(int(said["id"])) is drawn  # kept in memory


def test_every_sample_has_its_own_address() -> None:
    addresses = [said[kind] for said in samples.describe() for kind in ("line", "color")]
    assert len(set(addresses)) == 16
    assert all(str(address).startswith("/api/samples/") for address in addresses)
