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
    from pipeline.pack.pack import PackOptions
    from pipeline.pack.pack_pairs import Pair, pack_pairs
    from pipeline.pack.split import SplitOptions, split_ids
    from pipeline.posts.filter import FilterOptions
    from pipeline.posts.filter_frame import filter_frame
    from pipeline.screen.screen import ScreenOptions, screen_picture
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
    "FilterOptions",
    "HintOptions",
    "Hints",
    "PackOptions",
    "Pair",
    "ScreenOptions",
    "SengaError",
    "SplitOptions",
    "WeightsError",
    "__version__",
    "build_dataset",
    "filter_frame",
    "normalize",
    "pack_pairs",
    "read_measures",
    "read_metrics",
    "read_outcomes",
    "read_posts",
    "screen_picture",
    "split_ids",
    "suggest_hints",
]

_MODULES = {
    "AugmentOptions": "pipeline.colorizer.options",
    "BuiltDataset": "tasks.build",
    "ColorizationDataset": "pipeline.colorizer.training.dataset",
    "Colorizer": "pipeline.colorizer.colorizer",
    "FilterOptions": "pipeline.posts.filter",
    "HintOptions": "pipeline.colorizer.hints",
    "Hints": "pipeline.colorizer.hints",
    "PackOptions": "pipeline.pack.pack",
    "Pair": "pipeline.pack.pack_pairs",
    "ScreenOptions": "pipeline.screen.screen",
    "SplitOptions": "pipeline.pack.split",
    "build_dataset": "tasks.build",
    "filter_frame": "pipeline.posts.filter_frame",
    "normalize": "pipeline.colorizer.training.training_sample",
    "pack_pairs": "pipeline.pack.pack_pairs",
    "read_measures": "pipeline.tables.measures",
    "read_metrics": "pipeline.tables.metrics",
    "read_outcomes": "pipeline.tables.outcomes",
    "read_posts": "pipeline.tables.posts",
    "screen_picture": "pipeline.screen.screen",
    "split_ids": "pipeline.pack.split",
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
