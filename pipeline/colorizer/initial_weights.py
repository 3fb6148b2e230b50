"""The colorizer that a training starts from: where its file is, and its identity.

Nothing in this module loads PyTorch.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipeline.colorizer.train_job import WEIGHTS
from sketch_models.errors import ConfigError
from sketch_models.weights.cache import expand_path, explain_read_errors, is_file


def find_colorizer(path: str | Path) -> Path:
    """Return the file of a colorizer: a path names the file itself, or the folder that it is in."""
    path = Path(path)
    return path / WEIGHTS if path.is_dir() else path


def identity(name: str) -> str:
    """Return the string that stands for a colorizer in a fingerprint: the digest of its file.

    Args:
        name: value of `[train] initial_weights`, not empty.

    Raises:
        ConfigError: If there is no such file.
        WeightsError: If it cannot be read.
    """
    path = find_colorizer(expand_path(name))
    if not is_file(path):
        raise ConfigError(
            f"[train] initial_weights = {name}: there is no such file. Give the path of a "
            "colorizer.safetensors or of its folder, or leave it empty."
        )
    with explain_read_errors(path):
        return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
