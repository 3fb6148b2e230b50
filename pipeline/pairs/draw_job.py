"""Jobs of drawing pairs, as JSON; this module loads neither PyTorch nor OpenCV."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

FILES = {"train": "", "test": "", "adventurer": "adventurer", "micah": "micah"}
"""The files, and the subject of their pictures; empty for any: the pictures to train on, test
pictures like them, and characters that no training draws."""

FEWER_PROCESSES = "choose fewer [artbook] processes, and run again"
"""What to do if memory does not suffice."""

_IDS_PER_SEED = 1 << 32
_IDS_PER_TEST_SET = 1 << 24
_SEEDS = 1 << 24  # so that ids, and seeds of their pages, fit into 63 bits


@dataclass(frozen=True, kw_only=True)
class DrawJob:
    """Everything that drawn pairs depend on, besides the networks that find their lines.

    Attributes:
        seed: of the build.
        size: side of the pictures, in pixels.
        pictures: number of pictures to train on.
        test_pictures: number of pictures of each test set.
        compression: gzip or none.
        processes: that draw; 0 for one per core.
        attributes: of every file: `dataset`, `fingerprint`, `config`.
    """

    seed: int
    size: int
    pictures: int
    test_pictures: int
    compression: str = "gzip"
    processes: int = 0
    attributes: Mapping[str, str]

    def ids(self, file: str) -> range:
        """Return the ids of the pictures of one of `FILES`; no two files have one in common."""
        first = 1 + (self.seed % _SEEDS) * _IDS_PER_SEED
        if file == "train":
            return range(first, first + self.pictures)
        first += _IDS_PER_SEED // 2 + list(FILES).index(file) * _IDS_PER_TEST_SET
        return range(first, first + self.test_pictures)

    def to_json(self) -> str:
        """Return the job as JSON, for `from_json`."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> DrawJob:
        """Return the job that `to_json` wrote."""
        return cls(**json.loads(text))
