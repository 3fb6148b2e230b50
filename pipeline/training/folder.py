"""Names in the folder of a training; this module loads no PyTorch."""

CHECKPOINTS = "checkpoints"
"""The folder of the checkpoints."""

METRICS_LOG = "metrics.jsonl"
"""The file of the metrics that are computed while it trains."""

SAMPLES = "samples"
"""The folder of the sample sheets."""

TRAIN_LOG = "train_log.jsonl"
"""The file of the logged losses."""
