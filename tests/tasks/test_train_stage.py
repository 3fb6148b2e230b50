"""Trainings and evaluations run in processes whose idle threads do not spin."""

import os
from pathlib import Path

import pytest

from pipeline import child_process
from pipeline.colorizer.options import EvaluateOptions
from tasks import EvaluateColorizer, config
from tasks.train_lines import TrainLineNetwork


class Started(Exception):  # noqa: N818 - it is no error
    """The process would run now."""


@pytest.fixture(autouse=True)
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Return the wait policies of the processes that were to run, none of which does."""
    options = config.BuildOptions(data=str(tmp_path))
    monkeypatch.setitem(config._cache, config.BuildOptions, options)
    monkeypatch.setitem(config._cache, EvaluateOptions, EvaluateOptions(generators=("spade",)))
    monkeypatch.setenv("OMP_WAIT_POLICY", "")
    monkeypatch.delenv("OMP_WAIT_POLICY")
    policies: list[str | None] = []

    def run_module(*_: object, **__: object) -> None:
        policies.append(os.environ.get("OMP_WAIT_POLICY"))
        raise Started

    monkeypatch.setattr(child_process, "run_module", run_module)
    return policies


def test_training_waits_passively(seen: list[str | None]) -> None:
    with pytest.raises(Started):
        TrainLineNetwork(network="tracer").make(lambda _: None)
    assert seen == ["passive"]


def test_evaluation_waits_passively(seen: list[str | None]) -> None:
    with pytest.raises(Started):
        EvaluateColorizer().make(lambda _: None)
    assert seen == ["passive"]


def test_what_the_user_has_set_stays(
    seen: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    with pytest.raises(Started):
        EvaluateColorizer().make(lambda _: None)
    assert seen == ["active"]
