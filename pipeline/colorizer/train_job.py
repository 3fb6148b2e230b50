"""Training jobs: the data and settings of a training, as JSON beside its weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipeline import store
from pipeline.colorizer.hints import HintOptions
from pipeline.colorizer.options import AugmentOptions, LossOptions, NetworkOptions, TrainOptions
from pipeline.training import job_file
from sketch_models.network_options import ComputeOptions
from sketch_models.option import Options, settings_of

SCHEMA = "senga-colorizer-1"

WEIGHTS = "colorizer.safetensors"
JOB = "colorizer.json"
"""Names of files in the folder of a training: its weights and its job."""


@dataclass(frozen=True, kw_only=True)
class TrainJob:
    """Everything that a training depends on.

    Attributes:
        train: path of the file to train on.
        test: path of the file whose pictures the sample grids show; may be empty.
        content: digest of the training pictures; checkpoints of others are refused.
        initial_content: digest of the colorizer that it starts from; empty without one.
        seed: of everything random.
        network: which networks, and how wide.
        losses: weights of the losses.
        hints: options of the simulated hints.
        augment: options of the augmentation.
        options: epochs, batch size, learning rates and the like.
        compute: device and precision.
    """

    train: str
    test: str = ""
    content: str = ""
    initial_content: str = ""
    seed: int = 0
    network: NetworkOptions = field(default_factory=NetworkOptions)
    losses: LossOptions = field(default_factory=LossOptions)
    hints: HintOptions = field(default_factory=HintOptions)
    augment: AugmentOptions = field(default_factory=AugmentOptions)
    options: TrainOptions = field(default_factory=TrainOptions)
    compute: ComputeOptions = field(default_factory=ComputeOptions)

    def fingerprint(self) -> str:
        """Return a hash of everything that changes the result; checkpoints carry it.

        It depends on the sections and keys of the configuration and on their values, but not on
        names in the code: a class, or a field of this one, may be renamed; if a section or a key
        is, every training runs again.
        """
        sections: tuple[Options, ...] = (
            self.network,
            self.losses,
            self.hints,
            self.augment,
            self.options,
            self.compute,
        )
        settings = {each.section: settings_of(each) for each in sections}
        if self.options.shrink_batch:  # then the batch size may still change
            del settings[TrainOptions.section]["batch_size"]
        if self.initial_content:
            settings["initial"] = {"content": self.initial_content}
        return store.fingerprint([SCHEMA, self.content, self.seed, settings])

    def to_json(self) -> str:
        """Return the job as JSON, for people and for `from_json`."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, source: str | Path) -> TrainJob:
        """Return the job in a JSON text.

        Args:
            text: as returned by `to_json`, of this version or the one before.
            source: the file that it was read from, for the message.

        Raises:
            SengaError: If it is anything else.
        """
        with job_file.explain_errors(source, "TrainColorizer"):
            values = job_file.parse_values(text, source, SCHEMA)
            for name, options_type in _SECTIONS.items():  # as in files of the version before
                if options_type.section_renamed_from in values:
                    values[name] = values.pop(options_type.section_renamed_from)
                if name in values:
                    values[name] = job_file.parse_options(options_type, values[name])
            return cls(**values)


_SECTIONS: dict[str, type[Options]] = {
    "network": NetworkOptions,
    "losses": LossOptions,
    "hints": HintOptions,
    "augment": AugmentOptions,
    "options": TrainOptions,
    "compute": ComputeOptions,
}
