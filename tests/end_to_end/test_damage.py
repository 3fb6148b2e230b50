"""What is deleted, cut or flipped on disk is noticed, made again and said."""

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from pipeline.pack.verify_data import verify_data
from tests.end_to_end.luigi import run_luigi
from tests.end_to_end.test_kills import assert_equal, read_datasets

NOTHING_TO_DO = "Nothing to do"


def build(data: Path, *arguments: str, code: int = 0) -> str:
    small = ["--metadata-sample-posts", "40", "--sketch-size", "128", "--pack-size", "32"]
    fast = ["--sketch-models", "xdog", "--simplify-model", "centerline", "--split-test-size", "2"]
    return run_luigi("--build-data", str(data), *small, *fast, *arguments, code=code)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("built")
    build(data)
    return data


@pytest.fixture
def data(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "data", symlinks=True))


def one(data: Path, pattern: str) -> Path:
    (path,) = (data / "sample").glob(pattern)
    return path


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path, position: int = 2000) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [Path.unlink, cut])
def test_what_is_deleted_or_cut_is_made_again(
    data: Path, built: Path, damage: Callable[[Path], None]
) -> None:
    for pattern, stage in {
        "dataset/*/train.h5": "pack",
        "split/*/split.parquet": "split",
        "metadata/*/posts.parquet": "metadata",
        "posts/*/shard-*.parquet": "filter",
        "color/*.tar": "download",
        "sketch/*/*.outcomes.parquet": "sketch",
        "line/*/*.tar": "simplify",
    }.items():
        path = one(data, pattern)
        damage(path)
        output = build(data)
        assert NOTHING_TO_DO not in output
        assert stage in [line.split(" ")[0] for line in output.splitlines()]
        if path.suffix != ".h5":  # which says where it was built
            assert path.stat().st_size == one(built, pattern).stat().st_size
    assert_equal(read_datasets(data), read_datasets(built))
    assert NOTHING_TO_DO in build(data)


def test_what_is_flipped_is_made_again_by_whoever_reads_it(data: Path, built: Path) -> None:
    for pattern, arguments, stages in (
        ("color/*.tar", ["--pack-size", "48"], ["download", "pack"]),
        ("sketch/*/*.tar", ["--pack-sketches", "true"], ["sketch", "pack"]),
        ("line/*/*.tar", ["--pack-fit", "crop"], ["simplify", "pack"]),
        ("split/*/split.parquet", ["--pack-compression", "none"], ["split", "pack"]),
        ("posts/*/*.parquet", ["--pack-size", "40"], ["filter", "pack"]),
        ("color/*.outcomes.parquet", ["--screen-min-side", "250"], ["download", "screen"]),
        ("color/*.tar", ["--sketch-size", "100"], ["download", "sketch"]),
        ("metadata/*/posts.parquet", ["--filter-min-side", "9"], ["metadata", "filter"]),
    ):
        path = one(data, pattern)
        flip(path, 2000 if path.suffix == ".tar" else 100)
        output = build(data, *arguments)
        assert f"{path} is damaged: " in output
        assert "It is made again" in output
        lines = [line.split(" ")[0] for line in output.splitlines()]
        assert [line for line in lines if line in stages] == stages
        assert str(path) in (data / "sample" / "damaged.log").read_text()
    build(data)
    assert_equal(read_datasets(data), read_datasets(built))
    assert verify_data(data / "sample").faults == []


def test_packed_file_that_is_refused_is_packed_again(data: Path, built: Path) -> None:
    with h5py.File(one(data, "dataset/*/train.h5"), "r+") as file:
        file["line/pured"][0, 9, 9] ^= 1
    one(data, "dataset/*/report.html").unlink()
    output = build(data)
    assert "train.h5 is damaged: line/pured does not match its checksum. It is made" in output
    assert_equal(read_datasets(data), read_datasets(built))


def test_picture_that_is_damaged_is_downloaded_alone(data: Path) -> None:
    tar = one(data, "color/*.tar")
    before = tar.read_bytes()
    flip(tar)
    output = build(data, "--pack-size", "48")
    assert "1 picture was damaged or missing" in output
    assert tar.read_bytes() == before


@pytest.mark.parametrize(
    ("pattern", "arguments", "message"),
    [
        ("color/*.tar", ["--pack-size", "48"], "Is a directory"),
        ("line/*/*.tar", [], "a folder has its name. Move the folder away"),
    ],
)
def test_folder_in_the_place_of_a_file_is_one_sentence(
    data: Path, pattern: str, arguments: list[str], message: str
) -> None:
    path = one(data, pattern)
    path.unlink()
    path.mkdir()
    (path / "mine.txt").write_text("mine")
    output = build(data, *arguments, code=30)
    assert message in output
    assert (path / "mine.txt").read_text() == "mine"


def test_strange_manifests_are_made_again(data: Path) -> None:
    for pattern, text in {
        "posts/*/manifest.json": '{"fingerprint": 1, "facts": []}',
        "color/*/*.json": "[" * 100_000,
        "color/*.json": '{"a": [[[',
    }.items():
        one(data, pattern).write_text(text)
    assert "Nothing has changed: what was made again is as it was before" in build(data)
    assert NOTHING_TO_DO in build(data)


def test_links_out_of_the_data_folder_are_refused(data: Path, tmp_path: Path) -> None:
    color = data / "sample" / "color"
    color.rename(tmp_path / "elsewhere")
    color.symlink_to(tmp_path / "elsewhere")
    names = sorted(path.name for path in (tmp_path / "elsewhere").rglob("*"))
    output = build(data, "--download-max-bytes", "9000000", code=40)
    assert f"{color} is a link to {tmp_path / 'elsewhere'}, outside of" in output
    assert sorted(path.name for path in (tmp_path / "elsewhere").rglob("*")) == names


def test_deleted_link_is_made_again(data: Path) -> None:
    (data / "sample" / "train.h5").unlink()
    assert NOTHING_TO_DO not in build(data)
    assert (data / "sample" / "train.h5").exists()


def test_old_posts_keep_their_side_and_fresh_splits_anew(data: Path) -> None:
    ledger = one(data, "split/ledger-0.parquet")
    before = ledger.read_bytes()
    assert NOTHING_TO_DO not in build(data, "--split-test-size", "3")
    assert ledger.read_bytes() == before
    build(data, "--split-test-size", "9999", "--split-fresh", "true", code=30)
    assert ledger.read_bytes() == before
    assert len(list(ledger.parent.glob("ledger-*"))) == 1
    cut(ledger)
    message = build(data, "--split-test-size", "4", code=30)
    assert "--split-fresh true" in message
    build(data, "--split-test-size", "4", "--split-fresh", "true")
    assert ledger.read_bytes() == before
    assert one(data, "split/ledger-0.1.parquet").exists()
