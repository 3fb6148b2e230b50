"""Variants of line art: each is a dataset of the packed files, and only new ones are made."""

import re
from pathlib import Path

import h5py
import numpy as np

from tests.end_to_end.test_build import luigi, manifest_times, stages_run

SIZES = "--simplify-sizes"


def centroids(file: h5py.File, name: str) -> np.ndarray:
    """Return the centroid of the ink of each picture, (N, 2) in pixels."""
    ink = 255.0 - file[name][:]
    rows, columns = np.indices(ink.shape[1:])
    total = ink.sum((1, 2))
    return np.stack([(ink * rows).sum((1, 2)) / total, (ink * columns).sum((1, 2)) / total], 1)


def test_sizes_make_lines_of_several_widths(tmp_path: Path) -> None:
    luigi(tmp_path, SIZES, "128,256", "--pack-binary-lines", "true")
    with h5py.File(tmp_path / "sample" / "train.h5") as train:
        styles = ("original", "enhanced", "pured")
        assert set(train["line"]) == {f"{s}_{size}" for s in styles for size in (128, 256)}
        thick, thin = (train[f"line/original_{size}"][:] for size in (128, 256))
        assert set(np.unique(thick)) == {0, 255}
        assert (255.0 - thick).mean() > 1.3 * (255.0 - thin).mean()
        shift = centroids(train, "line/original_128") - centroids(train, "line/original_256")
        assert np.abs(shift).max() < 1.5

    before = manifest_times(tmp_path)
    stderr = luigi(tmp_path, SIZES, "128,256,192", "--pack-binary-lines", "true")
    new = [name for name in manifest_times(tmp_path) if name not in before]
    assert not [name for name in new if "/sketch/" in name]
    assert any("/line/" in name for name in new)
    old = {name: time for name, time in manifest_times(tmp_path).items() if name in before}
    assert old == before
    assert stages_run(stderr) == ["simplify", "split", "pack", "report"]
    assert re.search(r"simplify +8 pictures", stderr)  # not three times as many
    with h5py.File(tmp_path / "sample" / "train.h5") as train:
        assert len(train["line"]) == 9
