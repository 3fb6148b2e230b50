"""The recipe: comes back as it was, and knows what changes a result."""

from dataclasses import replace

import pytest

from pipeline.colorizer import train_job as recipe
from pipeline.colorizer.options import LossOptions, NetworkOptions, TrainOptions, require_size
from pipeline.colorizer.train_job import Recipe
from sketch_models.errors import SengaError
from sketch_models.option import OptionError

TASK = Recipe(train="train.h5", content="c", options=TrainOptions(lines=("pured",), epochs=2.5))


def test_it_comes_back_as_it_was() -> None:
    assert recipe.read(TASK.text(), "x") == TASK


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "senga-colorizer-1"}', "no"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(SengaError, match=r"x\.json holds no recipe that can be read"):
        recipe.read(text, "x.json")


def test_another_schema_is_refused() -> None:
    with pytest.raises(SengaError, match="of kind 'other', expected 'senga-colorizer-1'"):
        recipe.read('{"schema": "other"}', "x.json")


def test_the_fingerprint_is_of_what_changes_the_result() -> None:
    same = [
        replace(TASK, train="/moved/train.h5"),
        replace(TASK, options=replace(TASK.options, loader_workers=7, log_every=1)),
    ]
    other = [
        replace(TASK, content="d"),
        replace(TASK, seed=1),
        replace(TASK, network=NetworkOptions(width=8)),
        replace(TASK, losses=LossOptions(l1=3)),
        replace(TASK, options=replace(TASK.options, batch_size=7)),
    ]
    assert {task.fingerprint() for task in same} == {TASK.fingerprint()}
    assert len({task.fingerprint() for task in [TASK, *other]}) == 6


def test_a_batch_that_may_shrink_is_of_any_size() -> None:
    may = replace(TASK, options=replace(TASK.options, shrink_batch=True))
    shrunk = replace(may, options=replace(may.options, batch_size=3))
    assert may.fingerprint() == shrunk.fingerprint() != TASK.fingerprint()


@pytest.mark.parametrize("size", [64, 96, 256, 512])
def test_sizes_that_networks_can_work_on(size: int) -> None:
    require_size(size)


@pytest.mark.parametrize("size", [32, 100, 544])
def test_sizes_that_they_cannot(size: int) -> None:
    with pytest.raises(OptionError, match="expected a multiple of 32 from 64 to 512"):
        require_size(size)
