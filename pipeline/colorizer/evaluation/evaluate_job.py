"""Evaluation jobs: colorizers, pictures and settings, as JSON; this module loads no PyTorch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from pipeline.colorizer.hints import HintOptions
from pipeline.colorizer.options import EvaluateOptions
from sketch_models.network_options import ComputeOptions


@dataclass(frozen=True, kw_only=True)
class EvaluateJob:
    """Everything that an evaluation depends on.

    Attributes:
        test: path of the file of test pictures.
        others: paths of files of other test pictures, by their name.
        colorizers: by generator, the folder that TrainColorizer wrote.
        name: of the dataset, for the page.
        seed: of hints and z.
        options: metrics, numbers of hints and the like.
        hints: options of the simulated hints.
        compute: device and precision.
    """

    test: str
    colorizers: dict[str, str]
    name: str
    others: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    options: EvaluateOptions = field(default_factory=EvaluateOptions)
    hints: HintOptions = field(default_factory=HintOptions)
    compute: ComputeOptions = field(default_factory=ComputeOptions)

    def to_json(self) -> str:
        """Return the job as JSON, for `from_json`."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> EvaluateJob:
        """Return the job that `to_json` wrote."""
        values = json.loads(text)
        sections = {"options": EvaluateOptions, "hints": HintOptions, "compute": ComputeOptions}
        for name, section in sections.items():
            items = values[name].items()
            values[name] = section(**{k: tuple(v) if isinstance(v, list) else v for k, v in items})
        return cls(**values)
