"""The package `lineartization` 1.7, in a process and a virtual environment of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MODES = ("skeleton", "minimum", "minimum without true black")

_SCRIPT = """
import sys
import numpy as np
from lineartization import LineArtConfig, extract_lineart

MODES = (
    LineArtConfig(method="skeleton"),
    LineArtConfig(method="minimum"),
    LineArtConfig(method="minimum", min_true_black=False),
)
while shape := sys.stdin.buffer.read(8):
    height, width = np.frombuffer(shape, np.int32)
    content = sys.stdin.buffer.read(int(height) * int(width) * 3)
    picture = np.frombuffer(content, np.uint8).reshape(height, width, 3)
    for mode in MODES:
        sys.stdout.buffer.write(extract_lineart(picture.copy(), mode).tobytes())
    sys.stdout.buffer.flush()
"""


class Lineartization:
    """Draws lines in every mode of the package; its process ends with this one."""

    def __init__(self, python: Path) -> None:
        self._child = subprocess.Popen(
            [str(python), "-c", _SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ink(self, color: NDArray[np.uint8]) -> dict[str, NDArray[np.bool_]]:
        """Return the ink of a picture (H, W, 3) RGB by mode: (H, W) bool."""
        assert self._child.stdin
        assert self._child.stdout
        height, width = color.shape[:2]
        self._child.stdin.write(np.array([height, width], np.int32).tobytes())
        self._child.stdin.write(np.ascontiguousarray(color[..., ::-1]).tobytes())
        self._child.stdin.flush()
        found = {}
        for mode in MODES:
            content = self._child.stdout.read(height * width)
            if len(content) < height * width:
                raise RuntimeError("lineartization ended early: see its message above.")
            found[mode] = np.frombuffer(content, np.uint8).reshape(height, width) < 128
        return found
