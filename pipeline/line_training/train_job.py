"""Training jobs of `tracer` and `inker`, as JSON beside their weights; loads no PyTorch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipeline import store
from pipeline.line_training.options import LineOptions
from pipeline.training import job_file
from sketch_models.network_options import ComputeOptions
from sketch_models.option import Options, settings_of

SCHEMA = "senga-lines-training-1"

METRICS = "metrics.json"
"""Name of the file of the final metrics in the folder of a training."""


def weights_name(network: str) -> str:
    """Return the name of the file of a network's weights."""
    return f"{network}.safetensors"


def job_name(network: str) -> str:
    """Return the name of the file of a network's training job."""
    return f"{network}.json"


@dataclass(frozen=True, kw_only=True)
class LineTrainJob:
    """Everything that the training of one network depends on.

    Attributes:
        network: tracer or inker.
        seed: of everything random.
        initial_content: digest of the weights that it starts from; empty without any.
        tracer_content: digest of the weights that make sketches for the inker; empty without any.
        validation_content: digest of the pictures that the best weights are chosen by; empty
            without any.
        options: pages, learning rate, losses and the like.
        compute: device and precision.
    """

    network: str
    seed: int = 0
    initial_content: str = ""
    tracer_content: str = ""
    validation_content: str = ""
    options: LineOptions = field(default_factory=LineOptions)
    compute: ComputeOptions = field(default_factory=ComputeOptions)

    def settings(self) -> dict[str, object]:
        """Return everything that changes the result, as plain data."""
        return {
            "network": self.network,
            "seed": self.seed,
            "initial": self.initial_content,
            "tracer": self.tracer_content,
            "validation": self.validation_content,
            LineOptions.section: self.options.settings(self.network),
            ComputeOptions.section: settings_of(self.compute),
        }

    def fingerprint(self) -> str:
        """Return a hash of everything that changes the result; checkpoints carry it."""
        return store.fingerprint([SCHEMA, self.settings()])

    def to_json(self) -> str:
        """Return the job as JSON, for people and for `from_json`."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, source: str | Path) -> LineTrainJob:
        """Return the job in a JSON text.

        Args:
            text: as returned by `to_json`.
            source: the file that it was read from, for the message.

        Raises:
            SengaError: If it is anything else.
        """
        with job_file.explain_errors(source, "TrainLines"):
            values = job_file.parse_values(text, source, SCHEMA)
            for name, options_type in _SECTIONS.items():
                if name in values:
                    values[name] = job_file.parse_options(options_type, values[name])
            return cls(**values)


_SECTIONS: dict[str, type[Options]] = {
    "options": LineOptions,
    "compute": ComputeOptions,
}
