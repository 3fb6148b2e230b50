"""Atomic publishing, and links to the newest build."""

import errno
import hashlib
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import store
from pipeline.store import Dataset, publish
from sketch_models.errors import SengaError


def list_files(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*"))


def test_published_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    with publish(tmp_path / "deep" / "a.txt") as temporary:
        temporary.write_text("new")
        assert not (tmp_path / "deep" / "a.txt").exists()
    assert (tmp_path / "deep" / "a.txt").read_text() == "new"
    assert list_files(tmp_path) == ["deep", "deep/a.txt"]


def test_published_folder_replaces_the_old_one(tmp_path: Path) -> None:
    for name in ("old", "new"):
        with publish(tmp_path / "f") as temporary:
            temporary.mkdir()
            (temporary / name).write_text(name)
    assert list_files(tmp_path) == ["f", "f/new"]


def test_old_file_is_kept_if_the_block_raises(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(ZeroDivisionError), publish(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        _ = 1 / 0
    assert list_files(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EACCES, "not writable"),
        (errno.EROFS, "read-only"),
        (errno.ENOENT, "gone, or cannot be made"),
        (errno.ENAMETOOLONG, "too long"),
    ],
)
def test_os_error_becomes_one_sentence(tmp_path: Path, code: int, message: str) -> None:
    with pytest.raises(SengaError, match=message), publish(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise OSError(code, "no")
    assert list_files(tmp_path) == []


@pytest.mark.parametrize(
    ("error", "explanation"),
    [
        (pl.exceptions.ComputeError("No space left on device (os error 28)"), "the disk is full"),
        (RuntimeError("write failed: errno = 122, 'Disk quota exceeded'"), "the disk quota"),
        (OSError("Can't write data (errno = 27, error message = 'File too large')"), "it is larg"),
        (pl.exceptions.ComputeError("No such file or directory (os error 2): x.parquet"), ""),
        (RuntimeError("28"), ""),
    ],
)
def test_full_disk_is_explained_whichever_library_says_it(
    tmp_path: Path, error: Exception, explanation: str
) -> None:
    with (
        pytest.raises(SengaError if explanation else type(error)) as raised,
        publish(tmp_path / "a"),
    ):
        raise error
    assert explanation in str(raised.value)


def test_polars_says_that_a_disk_is_full(tmp_path: Path) -> None:
    (tmp_path / "b").symlink_to("/dev/full")
    with pytest.raises(SengaError, match="the disk is full"), publish(tmp_path / "a"):
        pl.DataFrame({"x": range(100_000)}).write_parquet(tmp_path / "b")


def test_write_to_a_full_device_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SengaError, match="the disk is full"), publish(tmp_path / "a"):
        Path("/dev/full").write_bytes(b"x")


def test_folder_with_the_name_of_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "a.tar").mkdir()
    with (
        pytest.raises(SengaError, match="a folder has its name. Move the folder away"),
        publish(tmp_path / "a.tar") as temporary,
    ):
        temporary.write_text("x")


def test_file_with_the_name_of_a_folder_is_explained(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with (
        pytest.raises(SengaError, match="a file has the name of a folder"),
        publish(tmp_path / "data" / "x" / "a"),
    ):
        pass


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(plain, plain)
def test_fingerprints_differ_exactly_if_the_data_differ(one: object, other: object) -> None:
    import json

    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (store.fingerprint(one) == store.fingerprint(other)) == same


def in_another_order(data: object) -> object:
    """Return plain data with the keys of all dicts from the last to the first."""
    if isinstance(data, dict):
        return {key: in_another_order(value) for key, value in reversed(data.items())}
    return [in_another_order(item) for item in data] if isinstance(data, list) else data


@given(st.dictionaries(st.text(), plain, min_size=2))
def test_fingerprints_do_not_depend_on_the_order_of_keys(data: dict[str, object]) -> None:
    other = in_another_order(data)
    assert list(data) != list(other)  # type: ignore[call-overload]
    assert store.fingerprint(data) == store.fingerprint(other)


@given(st.dictionaries(st.integers(), st.text(), max_size=8))
def test_digests_do_not_depend_on_order(rows: dict[int, str]) -> None:
    assert store.digest(rows) == store.digest(dict(reversed(rows.items())))


def test_newest_links_are_relative(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path / "d")
    file = dataset.packed("0123456789abcdef") / "train.h5"
    file.parent.mkdir(parents=True)
    file.write_text("x")
    assert not dataset.is_newest("train.h5", file)
    dataset.link_newest("train.h5", file)
    assert dataset.is_newest("train.h5", file)
    assert not dataset.is_newest("train.h5", file.with_name("test.h5"))
    file.rename(file.with_name("gone"))
    assert not dataset.is_newest("train.h5", file)
    file.with_name("gone").rename(file)
    (tmp_path / "d").rename(tmp_path / "moved")
    assert (tmp_path / "moved" / "train.h5").read_text() == "x"


def test_every_path_of_a_dataset() -> None:
    data, settings = Dataset(Path("d")), "0123456789abcdef"
    paths = {
        data.metadata(settings): "metadata/0123456789ab",
        data.sample_csv(): "metadata/sample_booru.csv",
        data.frame(): "metadata/frame.parquet",
        data.api_posts(settings): "metadata/0123456789ab.jsonl",
        data.posts(settings): "posts/0123456789ab",
        data.color(7): "color/shard-00007.tar",
        data.color_sizes(7): "color/shard-00007.json",
        data.color_journal(7): "color/shard-00007.journal",
        data.color_outcomes(7): "color/shard-00007.outcomes.parquet",
        data.color_manifest(settings, 7): "color/0123456789ab/shard-00007.json",
        data.screen(settings, 7): "screen/0123456789ab/shard-00007.parquet",
        data.sketch(settings, 7): "sketch/0123456789ab/shard-00007.tar",
        data.line(settings, 7): "line/0123456789ab/shard-00007.tar",
        data.split(settings): "split/0123456789ab",
        data.split_ledger(3): "split/ledger-3.parquet",
        data.packed(settings): "dataset/0123456789ab",
        data.pack_outcomes(settings): "dataset/0123456789ab/outcomes.parquet",
        data.pairs(settings): "artbook/0123456789ab",
        data.colorizer(settings): "colorizer/0123456789ab",
        data.line_network("inker", settings): "inker/0123456789ab",
        data.evaluation(settings): "evaluation/0123456789ab",
        data.damage_log(): "damaged.log",
        data.newest("colorizer/latest"): "colorizer/latest",
        store.outcomes_path(Path("d/line/shard-00007.tar")): "line/shard-00007.outcomes.parquet",
        store.manifest_path(Path("d/line/shard-00007.tar")): "line/shard-00007.json",
        store.manifest_path(Path("d/posts/0123")): "posts/0123/manifest.json",
    }
    assert [str(path) for path in paths] == [f"d/{name}" for name in paths.values()]


def test_files_of_a_shard_under_all_settings(tmp_path: Path) -> None:
    data = Dataset(tmp_path)
    for make, found in (
        (data.color_manifest, data.color_manifests),
        (data.screen, data.screen_tables),
    ):
        assert found(7) == []
        files = [make(settings, shard) for settings in ("b", "a") for shard in (7, 8)]
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("")
        assert found(7) == [files[2], files[0]]


def test_size_of_a_file_and_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "x").write_bytes(bytes(5))
    (tmp_path / "a" / "b" / "y").write_bytes(bytes(7))
    assert store.size_of(tmp_path / "a" / "x") == 5
    assert store.size_of(tmp_path / "a") == 12
    assert store.size_of(tmp_path / "none") == 0


def test_digest_is_of_the_rows_by_id() -> None:
    content = "2\tb\n10\ta\n"
    assert store.digest({10: "a", 2: "b"}) == hashlib.sha256(content.encode()).hexdigest()


def test_folders_are_made(tmp_path: Path) -> None:
    with publish(tmp_path / "some" / "where" / "a.txt") as temporary:
        temporary.write_text("new")
    assert list_files(tmp_path / "some") == ["where", "where/a.txt"]
