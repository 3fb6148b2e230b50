"""Pairs in memory are packed as the stage packs those of a build."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from pipeline.colorizer.training.dataset import ColorizationDataset
from pipeline.pack.dataset_reader import DatasetReader
from pipeline.pack.pack import PackOptions, pack
from pipeline.pack.pack_pairs import Pair, pack_pairs
from pipeline.pack.verify_files import verify
from pipeline.picture import decode, decode_grey
from sketch_models.styles import STYLES
from tests.pipeline.pack.test_pack import ABOUT, color_of, maps_of, shard_of

SMALL = PackOptions(size=32)


def pair(number: int, **changes: Any) -> Pair:
    """Return the pair of a shard that `shard_of` writes."""
    lines = {style: decode_grey(maps_of(number)[f"{style}.png"]) for style in STYLES}
    given = {"color": decode(color_of(number)), "lines": lines, "tags": f"1girl 猫_{number}"}
    return Pair(id=number, **{**given, **changes})


@pytest.mark.parametrize("options", [SMALL, PackOptions(size=16, fit="crop", compression="none")])
def test_file_is_that_of_the_stage(tmp_path: Path, options: PackOptions) -> None:
    ids = [3, 5, 8]
    pack(tmp_path / "a.h5", ids, [shard_of(tmp_path / "0", ids)], options, attributes=ABOUT)
    pairs = map(pair, ids)
    outcomes = pack_pairs(tmp_path / "b.h5", pairs, options, dataset="mine", split="test")
    assert [(outcome.id, outcome.code) for outcome in outcomes] == [(n, "ok") for n in ids]
    (summary,) = verify([tmp_path / "b.h5"])
    assert summary.pictures == 3
    with h5py.File(tmp_path / "a.h5") as one, h5py.File(tmp_path / "b.h5") as other:
        assert (other.attrs["dataset"], other.attrs["split"]) == ("mine", "test")
        for name in ("color", *(f"line/{style}" for style in STYLES), "id", "box", "tags"):
            assert one[name].attrs["sha256"] == other[name].attrs["sha256"]


def test_packed_pairs_are_samples_to_train_on(tmp_path: Path) -> None:
    def many() -> Iterator[Pair]:
        for number in range(1, 601):  # more than there is room for at first, twice
            yield pair(number)

    assert len(pack_pairs(tmp_path / "train.h5", many(), PackOptions(size=16))) == 600
    assert verify([tmp_path / "train.h5"])[0].pictures == 600
    dataset = ColorizationDataset(tmp_path / "train.h5")
    assert dataset.ids.tolist() == list(range(1, 601))
    assert dataset[599]["color"].shape == (3, 16, 16)


def test_pair_that_cannot_be_packed_has_a_code(tmp_path: Path) -> None:
    blank = dict.fromkeys(STYLES, np.full((40, 30), 255, np.uint8))
    turned = dict.fromkeys(STYLES, np.zeros((30, 40), np.uint8))
    pairs = [pair(1, lines=blank), pair(2), pair(3, lines=turned)]
    outcomes = pack_pairs(tmp_path / "t.h5", pairs, SMALL)
    assert [outcome.code for outcome in outcomes] == ["blank_line", "ok", "misaligned"]
    assert DatasetReader(tmp_path / "t.h5").ids.tolist() == [2]


def test_variants_have_three_styles_each(tmp_path: Path) -> None:
    line = np.zeros((8, 6), np.uint8)
    lines = {f"{style}{suffix}": line for style in STYLES for suffix in ("_64", "_512")}
    pack_pairs(tmp_path / "t.h5", [pair(1, lines=lines)], SMALL)
    assert set(DatasetReader(tmp_path / "t.h5").line_names) == set(lines)


LINE = np.zeros((8, 6), np.uint8)


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([], "^There are no pairs to pack"),
        ([pair(0)], "^The id 0 does not ascend"),
        ([pair(2), pair(2)], "^The id 2 does not ascend"),
        ([pair(1, lines={})], "^Pair 1 has the lines none: expected original, enhanced, pured"),
        ([pair(1, lines={"pured": LINE})], "^Pair 1 has the lines pured: expected original, "),
        ([pair(1, lines={"clean": LINE})], "^Pair 1 has the lines clean: expected original, "),
        (
            [pair(1), pair(2, lines={f"{style}_2": LINE for style in STYLES})],
            "^Pair 2 has other lines than the first",
        ),
        ([pair(1, color=np.zeros((8, 6, 3)))], "^A picture is an array of shape .* float64"),
    ],
)
def test_wrong_pairs_are_a_value_error_and_leave_no_file(
    tmp_path: Path, pairs: list[Pair], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        pack_pairs(tmp_path / "t.h5", pairs, SMALL)
    assert not list(tmp_path.iterdir())
