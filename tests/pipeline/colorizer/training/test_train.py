"""The loop: its course, what it says, and what it does without memory or without numbers."""

import json
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.colorizer.options import LossOptions, TrainOptions
from pipeline.colorizer.train_job import Recipe
from pipeline.colorizer.training import checkpoint, train
from pipeline.colorizer.training.dataset import ColorizationDataset
from pipeline.colorizer.training.train_log import Course, RunLog
from pipeline.colorizer.training.trainer import Place, Trainer
from pipeline.colorizer.training.training_sample import Sample
from sketch_models.errors import SengaError
from sketch_models.network_options import GpuOptions
from tests.pipeline.colorizer.networks.test_networks import small

PLACE = Place(device=torch.device("cpu"))


@pytest.fixture
def packed(write_packed: Callable[..., Path]) -> Path:
    return write_packed(range(1, 9), size=64, box=(0, 0, 64, 64))


def recipe(path: Path, **options: object) -> Recipe:
    values = {"epochs": 2, "batch_size": 4, "loader_workers": 0, "log_every": 4, **options}
    return Recipe(
        train=str(path),
        network=small(),
        losses=LossOptions(perceptual=0),
        options=TrainOptions(tensorboard=False, checkpoint_every=8, **values),
    )


def out_of_memory_above(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets steps of more pictures fail as they do on a GPU."""
    step = Trainer.step

    def limited(self: Trainer, batch: Sample) -> dict[str, torch.Tensor]:
        if len(batch["line"]) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return step(self, batch)

    monkeypatch.setattr(Trainer, "step", limited)


def test_a_course_knows_its_steps() -> None:
    course = Course.of(pictures=100, batch_size=8, epochs=2)
    assert course.steps == 25
    assert course.steps_an_epoch == 12
    assert [step for step in range(1, 26) if course.crossed(step, 50)] == [7, 13, 19, 25]
    assert Course.of(3, 8, 0.1).steps == Course.of(3, 8, 1).steps_an_epoch == 1


def test_batches_go_on_where_they_stopped(packed: Path) -> None:
    task = recipe(packed, batch_size=2, epochs=3)
    dataset = ColorizationDataset(packed)
    course = Course.of(8, 2, 3)
    whole = [batch["id"].tolist() for batch in train.batches(dataset, task, course, PLACE, 0)]
    assert len(whole) == 12
    for epoch in range(3):
        seen = [post_id for ids in whole[4 * epoch : 4 * epoch + 4] for post_id in ids]
        assert sorted(seen) == list(range(1, 9))
    for done in (1, 5, 8, 11):
        rest = [batch["id"].tolist() for batch in train.batches(dataset, task, course, PLACE, done)]
        assert rest == whole[done:]


def test_hints_are_drawn_anew_in_every_epoch(packed: Path) -> None:
    task = recipe(packed, batch_size=8, epochs=2)
    dataset = ColorizationDataset(packed)
    first, second = train.batches(dataset, task, Course.of(8, 8, 2), PLACE, 0)
    order = [first["id"].tolist().index(post_id) for post_id in second["id"].tolist()]
    assert torch.equal(first["color"][order], second["color"])
    assert not torch.equal(first["mask"][order], second["mask"])


def test_it_trains_to_the_end(packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    train.train(recipe(packed), tmp_path / "run", PLACE)
    lines = [
        json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    ]
    assert [line["images"] for line in lines] == [4, 8, 12, 16]
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == lines
    assert (tmp_path / "run" / "colorizer.safetensors").exists()
    assert (tmp_path / "run" / "samples" / "000000016.png").exists()


def test_a_loss_that_is_no_number_stops_it(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Trainer.step

    def broken(self: Trainer, batch: Sample) -> dict[str, torch.Tensor]:
        found = step(self, batch)
        if self.step_number == 3:
            found["kld"] = torch.tensor(float("nan"))
        return found

    monkeypatch.setattr(Trainer, "step", broken)
    with pytest.raises(SengaError, match="stopped at step 3: kld is not a finite number"):
        train.train(recipe(packed), tmp_path, PLACE)
    kept = checkpoint.newest(tmp_path / "checkpoints")
    assert kept is not None
    assert kept.name == "step-00000002.pt"


def test_the_largest_batch_that_fits_is_named(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_memory_above(5, monkeypatch)
    with pytest.raises(SengaError, match="at most 5: run with --train-batch-size 5, or"):
        train.train(recipe(packed, batch_size=8), tmp_path, PLACE)


def test_a_batch_may_shrink_to_what_fits(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_memory_above(3, monkeypatch)
    train.train(recipe(packed, batch_size=8, shrink_batch=True), tmp_path, PLACE)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["images"] == lines[-1]["step"] * 3


def test_a_shrunken_training_goes_on_after_a_stop(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = recipe(packed, batch_size=8, shrink_batch=True, epochs=4)
    out_of_memory_above(3, monkeypatch)
    train.train(task, tmp_path / "whole", PLACE)
    limited = Trainer.step

    def stopping(self: Trainer, batch: Sample) -> dict[str, torch.Tensor]:
        if self.step_number == 5:
            raise KeyboardInterrupt
        return limited(self, batch)

    with monkeypatch.context() as stopped:
        stopped.setattr(Trainer, "step", stopping)
        with pytest.raises(KeyboardInterrupt):
            train.train(task, tmp_path / "stopped", PLACE)
    assert checkpoint.newest(tmp_path / "stopped" / "checkpoints") is not None
    train.train(task, tmp_path / "stopped", PLACE)
    whole, stopped_once = (
        (tmp_path / name / "colorizer.safetensors").read_bytes() for name in ("whole", "stopped")
    )
    assert whole == stopped_once


def test_the_step_that_did_not_fit_is_gone_when_smaller_ones_are_tried(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainers: list[weakref.ref[Trainer]] = []

    def failing(self: Trainer, batch: Sample) -> dict[str, torch.Tensor]:
        assert not [ref for ref in trainers if ref() is not None]
        trainers.append(weakref.ref(self))
        raise torch.OutOfMemoryError(f"{len(batch['line'])} are too many")

    monkeypatch.setattr(Trainer, "step", failing)
    with pytest.raises(SengaError, match="neither does a single picture"):
        train.train(recipe(packed, batch_size=8), tmp_path, PLACE)
    assert len(trainers) == 4  # 8, 4, 2, 1


@pytest.mark.parametrize("name", ["cuda", "cuda:0"])
def test_a_gpu_may_be_chosen_with_and_without_its_number(
    packed: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    chosen: list[int] = []
    monkeypatch.setattr(train, "choose_device", lambda _: torch.device(name))
    monkeypatch.setattr(train, "choose_precision", lambda *_: torch.bfloat16)
    monkeypatch.setattr(torch._C, "_cuda_setDevice", chosen.append, raising=False)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    with train._processes(recipe(packed)) as place:
        assert place.device == torch.device(name)
    assert chosen == ([0] if ":" in name else [])


def test_half_precision_is_refused(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "choose_precision", lambda *_: torch.float16)
    with (
        pytest.raises(SengaError, match=r"\[gpu\] precision = fp16: .*expected bf16 or fp32"),
        train._processes(recipe(packed)),
    ):
        pass


def test_the_compiler_is_refused_on_a_cpu(packed: Path) -> None:
    compiled = replace(recipe(packed), gpu=GpuOptions(device="cpu", compile=True))
    with (
        pytest.raises(SengaError, match=r"\[gpu\] compile = true: .*expected a GPU"),
        train._processes(compiled),
    ):
        pass


def test_where_nothing_fits_it_says_so(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_memory_above(0, monkeypatch)
    with pytest.raises(SengaError, match="neither does a single picture"):
        train.train(recipe(packed, shrink_batch=True), tmp_path, PLACE)


def test_what_was_logged_after_the_checkpoint_is_forgotten(tmp_path: Path) -> None:
    course = Course.of(8, 2, 3)
    log = RunLog(tmp_path, course, tensorboard=True)
    for step in (1, 2, 3):
        log.add({"kld": torch.tensor(float(step))})
        log.write(step)
    log.picture(3, np.zeros((8, 8, 3), np.uint8))
    log.close()
    assert list((tmp_path / "tensorboard").iterdir())
    RunLog(tmp_path, course, tensorboard=False).go_on_from(2)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["loss/kld"] for line in lines] == [1, 2]


def test_means_are_over_the_steps_since_the_last_line(tmp_path: Path) -> None:
    log = RunLog(tmp_path, Course.of(8, 2, 3), tensorboard=False)
    for step in (1, 2, 3, 4):
        log.add({"kld": torch.tensor(float(step))})
        if step % 2 == 0:
            log.write(step)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["loss/kld"] for line in lines] == [1.5, 3.5]
    assert [line["images"] for line in lines] == [4, 8]
