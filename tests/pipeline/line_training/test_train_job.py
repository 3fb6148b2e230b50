"""Training jobs: JSON and back, and the fingerprint of what changes a result."""

import json
from dataclasses import replace

import pytest

from pipeline.line_training.options import LineOptions
from pipeline.line_training.train_job import LineTrainJob
from sketch_models.errors import SengaError
from sketch_models.network_options import ComputeOptions

JOB = LineTrainJob(network="inker", seed=4, options=LineOptions(inker_widths=(4, 8), lr=1e-3))


def test_job_survives_json() -> None:
    assert LineTrainJob.from_json(JOB.to_json(), "x") == JOB


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "senga-lines-training-1"}', "no"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(SengaError, match=r"x\.json cannot be read .* that TrainLines wrote"):
        LineTrainJob.from_json(text, "x.json")


def test_job_with_a_value_that_cannot_be_used_names_the_file() -> None:
    wrong = json.loads(JOB.to_json())
    wrong["options"]["lr"] = 0
    with pytest.raises(SengaError, match=r"x\.json cannot be read .*\[lines\] lr = 0"):
        LineTrainJob.from_json(json.dumps(wrong), "x.json")


def test_fingerprint_depends_on_what_changes_the_result() -> None:
    options = JOB.options
    same = [
        replace(JOB, options=replace(options, num_workers=7, log_every=1)),
        replace(JOB, options=replace(options, tracer_widths=(8, 8))),
        replace(JOB, options=replace(options, validation="/moved")),
        replace(JOB, compute=ComputeOptions(device="cpu")),
    ]
    other = [
        replace(JOB, network="tracer"),
        replace(JOB, seed=1),
        replace(JOB, initial_content="a"),
        replace(JOB, tracer_content="a"),
        replace(JOB, validation_content="a"),
        replace(JOB, options=replace(options, images=7)),
        replace(JOB, compute=ComputeOptions(precision="bf16")),
    ]
    assert {job.fingerprint() for job in same} == {JOB.fingerprint()}
    assert len({job.fingerprint() for job in [JOB, *other]}) == 8
