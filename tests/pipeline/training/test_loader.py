"""Arguments of data loaders: with workers, without, and for a GPU."""

import signal

import torch
from torch.utils.data import DataLoader, Dataset

from pipeline.training.loader import iterate, loader_options
from pipeline.training.stop_signal import SIGNALS


class Held(Dataset[bool]):
    """Whether a process that loads holds the signals that stop a training."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, _: int) -> bool:
        return set(SIGNALS) <= signal.pthread_sigmask(signal.SIG_BLOCK, [])


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


def test_signals_that_stop_a_training_leave_its_workers_alive() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    batches = iterate(DataLoader(Held(), **loader_options(1, torch.device("cpu"))))
    assert all(bool(batch.all()) for batch in batches)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
