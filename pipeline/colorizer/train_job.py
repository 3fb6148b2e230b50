"""What a colorizer is trained from and how, as one JSON file beside its weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from pipeline import store
from pipeline.colorizer.hints import HintOptions
from pipeline.colorizer.options import AugmentOptions, LossOptions, NetworkOptions, TrainOptions
from sketch_models.errors import SengaError
from sketch_models.network_options import GpuOptions

SCHEMA = "senga-colorizer-1"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that training needs to be told.

    Attributes:
        train: path of the file to train from.
        test: path of the file whose pictures the sample grids show; may be empty.
        content: what identifies the training pictures: a checkpoint is of them alone.
        seed: feeds everything random.
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
    gpu: GpuOptions = field(default_factory=GpuOptions)

    def fingerprint(self) -> str:
        """Of everything that changes the result; a checkpoint carries it."""
        sections: list[Any] = [
            self.network,
            self.losses,
            self.hints,
            self.augment,
            self.options,
            self.gpu,
        ]
        chosen = {
            f"{type(section).__name__}.{key.name}": getattr(section, key.name)
            for section in sections
            for key in fields(section)
            if key.metadata["affects_result"]
        }
        if self.options.shrink_batch:  # to what fits, when it is known
            del chosen["TrainOptions.batch_size"]
        return store.fingerprint([SCHEMA, self.content, self.seed, chosen])

    def text(self) -> str:
        """As JSON, for people and for `read`."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1) + "\n"


_SECTIONS: dict[str, type] = {
    "network": NetworkOptions,
    "losses": LossOptions,
    "hints": HintOptions,
    "augment": AugmentOptions,
    "options": TrainOptions,
    "gpu": GpuOptions,
}


def read(text: str, source: str | Path) -> Recipe:
    """The recipe in a JSON text.

    Args:
        text: what `Recipe.text` wrote.
        source: the file that it is from, for the error.

    Raises:
        SengaError: where it is no such text.
    """
    try:
        found = json.loads(text)
        schema = found.pop("schema")
        if schema != SCHEMA:
            raise SengaError(f"{source} holds a recipe of kind {schema!r}, expected {SCHEMA!r}.")
        return Recipe(**{name: _section(name, value) for name, value in found.items()})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SengaError(
            f"{source} holds no recipe that can be read ({error}), expected the JSON that "
            "TrainColorizer writes."
        ) from None


def _section(name: str, value: Any) -> Any:  # noqa: ANN401 - a part of a JSON document
    kind = _SECTIONS.get(name)
    if kind is None:
        return value
    return kind(**{key: tuple(v) if isinstance(v, list) else v for key, v in value.items()})
