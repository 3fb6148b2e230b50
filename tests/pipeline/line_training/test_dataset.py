"""The pages of a training: the same for any number of workers, after any resume, in all views."""

import numpy as np
import pytest
import torch

from pipeline.line_training.dataset import LineBatch, LinePages, batches, load_tracer, to_batch
from pipeline.line_training.example import TRAINING, draw_example, page_seed
from pipeline.line_training.options import LineOptions
from sketch_models.errors import WeightsError
from tests.pipeline.line_training.conftest import make_job

CPU = torch.device("cpu")


def all_batches(options: LineOptions, first_step: int = 0, steps: int = 4) -> list[LineBatch]:
    return list(batches("tracer", options, 3, CPU, first_step=first_step, steps=steps))


def equal(one: LineBatch, other: LineBatch) -> bool:
    return all(torch.equal(one[name], other[name]) for name in ("picture", "ink", "weight"))


@pytest.mark.usefixtures("artbook")
def test_batches_resume_where_they_stopped() -> None:
    options = make_job().options
    whole = all_batches(options)
    assert len(whole) == 4
    assert not equal(whole[0], whole[1])
    for done in (1, 3):
        rest = all_batches(options, done)
        assert len(rest) == 4 - done
        assert all(map(equal, rest, whole[done:]))


@pytest.mark.filterwarnings("ignore:This DataLoader will create 2 worker")  # on one core
def test_batches_do_not_depend_on_the_workers() -> None:
    """Pages of the artbook itself: a worker is a new process."""
    alone, shared = (
        all_batches(make_job(batch_size=2, num_workers=workers).options, steps=2)
        for workers in (0, 2)
    )
    assert [equal(*pair) for pair in zip(alone, shared, strict=True)] == [True, True]


@pytest.mark.usefixtures("artbook")
@pytest.mark.parametrize(("network", "channels"), [("tracer", 4), ("inker", 2)])
def test_batch_has_what_the_networks_take(network: str, channels: int) -> None:
    options = make_job(network).options
    batch = next(batches(network, options, 3, CPU, first_step=0, steps=1))
    assert batch["picture"].shape == (4, channels, 64, 64)
    assert batch["picture"].dtype == torch.float32
    assert batch["ink"].shape == batch["weight"].shape == (4, 1, 64, 64)
    assert batch["ink"].dtype == batch["weight"].dtype == torch.uint8
    assert batch["ink"].max() == 255
    assert (batch["ink"] > 0).float().mean() < 0.5


@pytest.mark.usefixtures("artbook")
def test_the_weights_that_an_option_names_make_sketches_for_the_inker() -> None:
    shipped, none = (make_job(inker_tracer_weights=name).options for name in ("shipped", ""))
    tracer = load_tracer("shipped")
    assert tracer is not None
    seed = page_seed(3, TRAINING, 0)
    expected = to_batch(draw_example("inker", seed, 64, tracer))["picture"]
    drawn = [
        LinePages(network, 3, 64, 8, options.sketches_by(network))[0]["picture"]
        for network, options in (("inker", shipped), ("inker", none), ("tracer", shipped))
    ]
    same = [any(torch.equal(view, expected[0]) for view in views) for views in drawn]
    assert same == [True, False, False]
    assert load_tracer("") is None
    with pytest.raises(WeightsError, match=r"weights of tracer = nowhere: there is no such file"):
        load_tracer("nowhere")


@pytest.mark.usefixtures("artbook")
def test_views_are_the_page_turned_and_mirrored() -> None:
    views = LinePages("tracer", 3, 64, 8)[0]
    page = to_batch(draw_example("tracer", page_seed(3, TRAINING, 0), 64))
    ink = page["ink"][0, 0].numpy()
    sides = (ink, ink[:, ::-1])
    expected = {np.rot90(side, turns).tobytes() for side in sides for turns in range(4)}
    assert {view[0].numpy().tobytes() for view in views["ink"]} == expected
    assert len(expected) == 8
    for number in range(8):  # what the network sees is turned with it
        dark = views["picture"][number, :3].mean(0)
        inside = views["ink"][number, 0] > 128
        assert dark[inside].mean() < dark[~inside].mean() - 1
