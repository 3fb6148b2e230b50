"""Training jobs: the data and settings of a training, as JSON beside its weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from pipeline import store
from pipeline.colorizer.hints import HintOptions
from pipeline.colorizer.options import AugmentOptions, LossOptions, NetworkOptions, TrainOptions
from sketch_models.errors import ConfigError, SengaError
from sketch_models.network_options import ComputeOptions
from sketch_models.option import Options, renamed_keys, settings_of

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
        try:
            values = json.loads(text)
            schema = values.pop("schema")
            if schema != SCHEMA:
                raise SengaError(
                    f"{source} holds a training job of schema {schema!r}: expected {SCHEMA!r}."
                )
            for name, options_type in _SECTIONS.items():  # as in files of the version before
                if options_type.section_renamed_from in values:
                    values[name] = values.pop(options_type.section_renamed_from)
            return cls(**{name: _parse_section(name, value) for name, value in values.items()})
        except (ValueError, TypeError, KeyError, AttributeError, ConfigError) as error:
            raise SengaError(
                f"{source} cannot be read as a training job ({error}). Choose the JSON file that "
                "TrainColorizer wrote."
            ) from None


_SECTIONS: dict[str, type[Options]] = {
    "network": NetworkOptions,
    "losses": LossOptions,
    "hints": HintOptions,
    "augment": AugmentOptions,
    "options": TrainOptions,
    "compute": ComputeOptions,
}


def _parse_section(name: str, value: Any) -> Any:  # noqa: ANN401 - a part of a JSON document
    options_type = _SECTIONS.get(name)
    if options_type is None:
        return value
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in value.items()}
    for old, new in renamed_keys(options_type).items():  # as in files of the version before
        if old in values:
            values[new] = values.pop(old)
    for key in fields(options_type):
        choice = values.get(key.name)
        if isinstance(choice, str):
            values[key.name] = key.metadata["renamed_choices"].get(choice, choice)
    return options_type(**values)
