"""Shards: plain WebDataset tar files, equal for equal samples."""

import gc
import io
import os
import random
import tarfile
from pathlib import Path

import pytest
import webdataset
from hypothesis import given
from hypothesis import strategies as st

from pipeline.damage import DamagedFileError
from pipeline.outcome import DrawnOutcome, write_drawn_outcomes
from pipeline.shard import ShardReader, digests_of, write_shard
from pipeline.store import outcomes_path
from sketch_models.errors import SengaError

SAMPLES = [
    (7, {"original.png": b"a" * 700, "pured.png": b""}),
    (12, {"original.png": b"b", "pured.png": b"c"}),
]


def test_written_samples_are_read_back(tmp_path: Path) -> None:
    write_shard(tmp_path / "s.tar", SAMPLES)
    with ShardReader(tmp_path / "s.tar") as shard:
        assert shard.ids == [7, 12]
        assert shard.parts(7) == ["original.png", "pured.png"]
        assert shard.parts(8) == []
        read = {
            post_id: {p: shard.read(post_id, p) for p in shard.parts(post_id)}
            for post_id in shard.ids
        }
    assert read == dict(SAMPLES)


def test_equal_samples_make_equal_files(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.tar", SAMPLES)
    write_shard(tmp_path / "b.tar", iter(SAMPLES))
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # webdataset leaves files open
def test_webdataset_reads_a_shard(tmp_path: Path) -> None:
    write_shard(tmp_path / "s.tar", SAMPLES)
    read = list(webdataset.WebDataset(str(tmp_path / "s.tar"), shardshuffle=False))
    assert [(sample["__key__"], sample["original.png"]) for sample in read] == [
        ("7", b"a" * 700),
        ("12", b"b"),
    ]
    gc.collect()


def test_truncated_tar_is_refused(tmp_path: Path) -> None:
    write_shard(tmp_path / "s.tar", SAMPLES)
    content = (tmp_path / "s.tar").read_bytes()
    (tmp_path / "s.tar").write_bytes(content[:900])
    with pytest.raises(SengaError, match="not a complete tar file.*Delete it and build again"):
        ShardReader(tmp_path / "s.tar")


@pytest.mark.parametrize("name", ["../1.jpg", "x.jpg", "1", "-1.jpg"])
def test_name_without_a_post_id_is_refused(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(SengaError, match="expected <post id>.<part>"):
        ShardReader(tmp_path / "s.tar")


def write_both(path: Path) -> None:
    """Write a shard and its table."""
    write_shard(path, SAMPLES)
    outcomes = [DrawnOutcome(post_id, "ok", sha256=digests_of(of)) for post_id, of in SAMPLES]
    write_drawn_outcomes([*outcomes, DrawnOutcome(9, "no_ink")], outcomes_path(path))


def read_all(path: Path, *, salvage: bool = False) -> dict[int, dict[str, bytes]]:
    with ShardReader(path, salvage=salvage) as shard:
        return {n: {part: shard.read(n, part) for part in shard.parts(n)} for n in shard.ids}


def test_whole_shard_matches_its_table(tmp_path: Path) -> None:
    write_both(tmp_path / "s.tar")
    assert read_all(tmp_path / "s.tar") == dict(SAMPLES)


def test_flipped_bits_are_noticed_or_mean_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.tar"
    write_both(path)
    content = path.read_bytes()
    rng = random.Random(0)
    damaged = 0
    for position in [*range(512), *(rng.randrange(len(content)) for _ in range(500))]:
        changed = bytearray(content)
        changed[position] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        try:
            assert read_all(path) == dict(SAMPLES), position
        except DamagedFileError:
            damaged += 1
    assert damaged > 512


def test_shard_that_lacks_what_its_table_has_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.tar"
    write_both(path)
    write_shard(path, SAMPLES[:1])
    with pytest.raises(DamagedFileError, match="it has 0 of 2 parts of post 12"):
        ShardReader(path)
    write_shard(path, [SAMPLES[0], (12, {"pured.png": b"c"})])
    with pytest.raises(DamagedFileError, match="it has 1 of 2 parts of post 12"):
        ShardReader(path)


def test_what_is_left_of_a_damaged_shard_is_salvaged(tmp_path: Path) -> None:
    path = tmp_path / "s.tar"
    samples = [(n, {"jpg": bytes([n]) * 600}) for n in range(1, 6)]
    write_shard(path, samples)
    content = path.read_bytes()
    with ShardReader(path, salvage=True) as shard:
        assert (shard.ids, shard.has_gaps) == ([1, 2, 3, 4, 5], False)
    changed = bytearray(content)
    changed[1 * 1536 + 3] ^= 1  # in the header of the second
    path.write_bytes(changed)
    with ShardReader(path, salvage=True) as shard:
        assert (shard.ids, shard.has_gaps) == ([1, 3, 4, 5], True)
    path.write_bytes(content[:-1])
    with ShardReader(path, salvage=True) as shard:
        assert (shard.ids, shard.has_gaps) == ([1, 2, 3, 4, 5], True)
    path.write_bytes(content[: 3 * 1536 + 700])
    with ShardReader(path, salvage=True) as shard:
        assert (shard.ids, shard.has_gaps) == ([1, 2, 3], True)
        assert shard.read(3, "jpg") == samples[2][1]["jpg"]


@pytest.mark.parametrize("salvage", [False, True])
def test_folder_in_the_place_of_a_shard_is_one_sentence(tmp_path: Path, salvage: bool) -> None:
    (tmp_path / "s.tar").mkdir()
    with pytest.raises(SengaError, match=r"s\.tar is damaged: Is a directory"):
        ShardReader(tmp_path / "s.tar", salvage=salvage)
    with pytest.raises(SengaError, match=r"none\.tar is damaged: No such file"):
        ShardReader(tmp_path / "none.tar", salvage=salvage)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**63),
            st.dictionaries(
                st.sampled_from(["jpg", "original.png", "x" * 70]),
                st.binary(max_size=1500),
                min_size=1,
            ),
        ),
        max_size=6,
    )
)
def test_bytes_equal_those_of_tarfile(
    tmp_path_factory: pytest.TempPathFactory, samples: list[tuple[int, dict[str, bytes]]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "ours.tar"
    write_shard(path, samples)
    theirs = io.BytesIO()
    with tarfile.TarFile(fileobj=theirs, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for post_id, parts in samples:
            for part, content in parts.items():
                member = tarfile.TarInfo(f"{post_id}.{part}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    assert path.read_bytes() == theirs.getvalue()


def test_closed_shard_has_no_open_file(tmp_path: Path) -> None:
    write_shard(tmp_path / "s.tar", SAMPLES)
    with ShardReader(tmp_path / "s.tar") as shard:
        descriptor = shard._descriptor
        assert os.fstat(descriptor).st_size == (tmp_path / "s.tar").stat().st_size
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
