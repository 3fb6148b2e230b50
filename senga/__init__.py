"""Paired colour and line-art datasets, and the colorizer that is trained on them.

    from senga import Colorizer, build_dataset

This is the public API: import from this package alone. Each name is loaded when it is first used,
so that importing the package loads nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sketch_models.errors import ConfigError, DatasetError, SengaError, WeightsError

if TYPE_CHECKING:
    from pipeline.colorizer.colorizer import Colorizer
    from pipeline.colorizer.hints import HintOptions, Hints
    from pipeline.colorizer.options import AugmentOptions
    from pipeline.colorizer.suggest import suggest_hints
    from pipeline.colorizer.training.dataset import ColorizationDataset
    from pipeline.colorizer.training.training_sample import normalize
    from pipeline.tables.measures import read_measures
    from pipeline.tables.metrics import read_metrics
    from pipeline.tables.outcomes import read_outcomes
    from pipeline.tables.posts import read_posts
    from tasks.build import BuiltDataset, build_dataset

    __version__: str

__all__ = [
    "AugmentOptions",
    "BuiltDataset",
    "ColorizationDataset",
    "Colorizer",
    "ConfigError",
    "DatasetError",
    "HintOptions",
    "Hints",
    "SengaError",
    "WeightsError",
    "__version__",
    "build_dataset",
    "normalize",
    "read_measures",
    "read_metrics",
    "read_outcomes",
    "read_posts",
    "suggest_hints",
]

_MODULES = {
    "AugmentOptions": "pipeline.colorizer.options",
    "BuiltDataset": "tasks.build",
    "ColorizationDataset": "pipeline.colorizer.training.dataset",
    "Colorizer": "pipeline.colorizer.colorizer",
    "HintOptions": "pipeline.colorizer.hints",
    "Hints": "pipeline.colorizer.hints",
    "build_dataset": "tasks.build",
    "normalize": "pipeline.colorizer.training.training_sample",
    "read_measures": "pipeline.tables.measures",
    "read_metrics": "pipeline.tables.metrics",
    "read_outcomes": "pipeline.tables.outcomes",
    "read_posts": "pipeline.tables.posts",
    "suggest_hints": "pipeline.colorizer.suggest",
}


if not TYPE_CHECKING:  # a type checker would accept any name

    def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the names
        """Load a name of the API when it is first used."""
        if name == "__version__":
            value: Any = import_module("importlib.metadata").version(__name__)
        elif name in _MODULES:
            value = getattr(import_module(_MODULES[name]), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """Return the names of the module, loaded or not."""
    return sorted({*globals(), *__all__})
