"""Training jobs: JSON and back, and the fingerprint of what changes a result."""

import json
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
        replace(JOB, options=replace(JOB.options, num_workers=7, log_every=1)),
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
        """A class with the same section and keys, under another name."""

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


def test_job_of_the_version_before_is_read_by_its_old_names() -> None:
    old = json.loads(JOB.to_json())
    old["gpu"] = old.pop("compute")
    old["options"]["generator_rate"] = old["options"].pop("generator_lr")
    old["network"]["latent"] = old["network"].pop("latent_dim")
    del old["losses"]["missing_weights"]
    old["losses"]["without_weights"] = "continue"
    assert TrainJob.from_json(json.dumps(old), "x.json") == JOB


def test_job_with_a_value_that_cannot_be_used_names_the_file() -> None:
    wrong = json.loads(JOB.to_json())
    wrong["options"]["epochs"] = -1
    with pytest.raises(SengaError, match=r"x\.json cannot be read .*\[train\] epochs = -1"):
        TrainJob.from_json(json.dumps(wrong), "x.json")
