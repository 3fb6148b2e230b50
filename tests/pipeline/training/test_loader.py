"""Arguments of data loaders: with workers, without, and for a GPU."""

import torch

from pipeline.training.loader import loader_options


def test_workers_are_spawned_and_stay() -> None:
    options = loader_options(2, torch.device("cpu"))
    assert options["multiprocessing_context"] == "spawn"
    assert options["persistent_workers"]
    assert not options["pin_memory"]


def test_no_workers_need_no_context() -> None:
    options = loader_options(0, torch.device("cuda"))
    assert options["multiprocessing_context"] is None
    assert not options["persistent_workers"]
    assert options["pin_memory"]
