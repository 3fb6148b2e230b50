"""All tasks."""

from tasks.build_dataset import BuildDataset
from tasks.download_shard import DownloadShard
from tasks.draw_pairs import DrawPairs
from tasks.evaluate_colorizer import EvaluateColorizer
from tasks.export_dataset import ExportDataset
from tasks.fetch_weights import FetchWeights
from tasks.filter_posts import FilterPosts
from tasks.import_metadata import ImportMetadata
from tasks.make_shards import MakeShards
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
    "ExportDataset",
    "FetchWeights",
    "FilterPosts",
    "ImportMetadata",
    "MakeShards",
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
