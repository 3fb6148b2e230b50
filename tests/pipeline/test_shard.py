"""Shards: plain WebDataset tar files, equal for equal samples."""

import gc
import io
import tarfile
from pathlib import Path

import pytest
import webdataset
from hypothesis import given
from hypothesis import strategies as st

from pipeline.shard import ShardReader, write_shard
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
    with pytest.raises(SengaError, match="not a complete tar file.*Delete it and run again"):
        ShardReader(tmp_path / "s.tar")


@pytest.mark.parametrize("name", ["../1.jpg", "x.jpg", "1", "-1.jpg"])
def test_name_without_a_post_id_is_refused(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(SengaError, match="expected <post id>.<part>"):
        ShardReader(tmp_path / "s.tar")


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
