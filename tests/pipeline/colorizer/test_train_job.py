"""Training jobs: JSON and back, and the fingerprint of what changes a result."""

from dataclasses import replace

import pytest

from pipeline.colorizer.options import LossOptions, NetworkOptions, TrainOptions, require_size
from pipeline.colorizer.train_job import TrainJob
from sketch_models.errors import ConfigError, SengaError

JOB = TrainJob(train="train.h5", content="c", options=TrainOptions(lines=("pured",), epochs=2.5))


def test_job_survives_json() -> None:
    assert TrainJob.from_json(JOB.to_json(), "x") == JOB


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "senga-colorizer-1"}', "no"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(SengaError, match=r"x\.json cannot be read as a training job"):
        TrainJob.from_json(text, "x.json")


def test_other_schema_is_refused() -> None:
    with pytest.raises(SengaError, match="of schema 'other': expected 'senga-colorizer-1'"):
        TrainJob.from_json('{"schema": "other"}', "x.json")


def test_fingerprint_depends_on_what_changes_the_result() -> None:
    same = [
        replace(JOB, train="/moved/train.h5"),
        replace(JOB, options=replace(JOB.options, loader_workers=7, log_every=1)),
    ]
    other = [
        replace(JOB, content="d"),
        replace(JOB, seed=1),
        replace(JOB, network=NetworkOptions(width=8)),
        replace(JOB, losses=LossOptions(l1=3)),
        replace(JOB, options=replace(JOB.options, batch_size=7)),
    ]
    assert {job.fingerprint() for job in same} == {JOB.fingerprint()}
    assert len({job.fingerprint() for job in [JOB, *other]}) == 6


def test_renamed_class_has_the_same_fingerprint() -> None:
    class RenamedOptions(TrainOptions):
        """As if the class had been given another name."""

    renamed = RenamedOptions(lines=("pured",), epochs=2.5)
    assert replace(JOB, options=renamed).fingerprint() == JOB.fingerprint()
    assert replace(JOB, options=replace(renamed, epochs=3)).fingerprint() != JOB.fingerprint()


def test_fingerprint_ignores_a_batch_size_that_may_shrink() -> None:
    shrinking = replace(JOB, options=replace(JOB.options, shrink_batch=True))
    shrunk = replace(shrinking, options=replace(shrinking.options, batch_size=3))
    assert shrinking.fingerprint() == shrunk.fingerprint() != JOB.fingerprint()


@pytest.mark.parametrize("size", [64, 96, 256, 512])
def test_usable_sizes_are_accepted(size: int) -> None:
    require_size(size)


@pytest.mark.parametrize("size", [32, 100, 544])
def test_unusable_sizes_are_refused(size: int) -> None:
    with pytest.raises(ConfigError, match="expected a multiple of 32 from 64 to 512"):
        require_size(size)
