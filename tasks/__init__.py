"""The Luigi DAG: which artefact is made from which; `pipeline` computes them."""

import sys
from pathlib import Path

if sys.platform == "win32":  # it has no forks, and no locks of files as they are used here
    sys.exit("Senga builds and trains on Linux and macOS. On Windows, run it in WSL.")

from tasks import config_files

config_files.install()  # before Luigi is imported, whose messages about these files are tracebacks

from tasks.build_dataset import BuildDataset
from tasks.download_shard import DownloadShard
from tasks.draw_pairs import DrawPairs
from tasks.evaluate_colorizer import EvaluateColorizer
from tasks.fetch_weights import FetchWeights
from tasks.filter_posts import FilterPosts
from tasks.import_metadata import ImportMetadata
from tasks.pack_dataset import PackDataset
from tasks.prune import Prune
from tasks.retry_failed import RetryFailed
from tasks.screen_shard import ScreenShard
from tasks.simplify_shard import SimplifyShard
from tasks.sketch_shard import SketchShard
from tasks.split_dataset import SplitDataset
from tasks.train_colorizer import TrainColorizer
from tasks.train_lines import TrainLines

__all__ = [
    "BuildDataset",
    "DownloadShard",
    "DrawPairs",
    "EvaluateColorizer",
    "FetchWeights",
    "FilterPosts",
    "ImportMetadata",
    "PackDataset",
    "Prune",
    "RetryFailed",
    "ScreenShard",
    "SimplifyShard",
    "SketchShard",
    "SplitDataset",
    "TrainColorizer",
    "TrainLines",
]

if "luigi" in (Path(sys.argv[0]).name, Path(sys.argv[0]).parent.name):  # or python -m luigi
    from tasks.command import check_for_luigi  # Luigi's own messages are tracebacks

    check_for_luigi(sys.argv[1:])
