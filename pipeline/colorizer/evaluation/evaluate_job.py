"""What an evaluation is told; nothing here loads PyTorch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from pipeline.colorizer.hints import HintOptions
from pipeline.colorizer.options import EvaluateOptions
from sketch_models.network_options import GpuOptions


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is evaluated.

    Attributes:
        test: path of the file to measure on.
        colorizers: by generator, the folder that TrainColorizer made.
        name: of the dataset, for the page.
        seed: of hints and z.
    """

    test: str
    colorizers: dict[str, str]
    name: str
    seed: int = 0
    options: EvaluateOptions = field(default_factory=EvaluateOptions)
    hints: HintOptions = field(default_factory=HintOptions)
    gpu: GpuOptions = field(default_factory=GpuOptions)

    def text(self) -> str:
        """As JSON, for `read_job`."""
        return json.dumps(asdict(self), indent=1) + "\n"


def read_job(text: str) -> Job:
    """What `Job.text` wrote."""
    found = json.loads(text)
    kinds = {"options": EvaluateOptions, "hints": HintOptions, "gpu": GpuOptions}
    for name, kind in kinds.items():
        values = found[name].items()
        found[name] = kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values})
    return Job(**found)
