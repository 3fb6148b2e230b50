"""A tiny untrained colorizer, the models around it, and the demo's server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from pipeline.colorizer.colorizer_file import write_colorizer
from pipeline.colorizer.networks.layers import init_weights
from pipeline.colorizer.options import LossOptions, NetworkOptions, TrainOptions
from pipeline.colorizer.train_job import TrainJob
from pipeline.colorizer.training.trainer import Trainer
from pipeline.demo.app import create_app
from pipeline.demo.models import Models
from pipeline.demo.options import DemoOptions
from pipeline.demo.serve import listen, serving
from pipeline.demo.worker import Worker
from pipeline.training.context import TrainContext

SIZE = 64  # side of the tiny colorizer's pictures, in pixels


@pytest.fixture(scope="session")
def colorizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A colorizer that is fast, and not at all good."""
    network = NetworkOptions(
        width=2, map_width=4, hidden=4, latent_dim=8, encoder_width=4, discriminator_width=4
    )
    trainer = Trainer(
        SIZE,
        network=network,
        loss_weights=LossOptions(perceptual=0),
        options=TrainOptions(),
        context=TrainContext(device=torch.device("cpu")),
        steps=1,
    )
    torch.manual_seed(0)
    init_weights(trainer.ema, gain=1.0)
    path = tmp_path_factory.mktemp("tiny") / "colorizer.safetensors"
    write_colorizer(
        path,
        trainer.vae.encoder,
        trainer.ema,
        TrainJob(train="train.h5", network=network),
        SIZE,
    )
    return path


@pytest.fixture(scope="session")
def no_weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An empty weights folder, whatever this machine has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SENGA_WEIGHTS", str(tmp_path_factory.mktemp("weights")))
        yield


@pytest.fixture(scope="session")
def models(colorizer_file: Path, no_weights: None) -> Models:  # noqa: ARG001
    return Models.load(DemoOptions(colorizer=str(colorizer_file), device="cpu"))


@pytest.fixture
def server(models: Models) -> Iterator[str]:
    """The URL of a running demo."""
    options = DemoOptions(port=0)
    worker = Worker(models, options.queue)
    app = create_app(models, worker, options)
    with (
        listen(options.host, options.port) as listener,
        serving(app, listener, max_body=options.max_body, threads=4) as url,
    ):
        yield url
        worker.close()
