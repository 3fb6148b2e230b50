"""Samples of WebDataset tars."""

import contextlib
import io
import tarfile
from pathlib import Path

import pytest
import webdataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.posts.tar_samples import DamagedTarError, Sample, read_bytes, read_samples


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def parts(path: Path) -> list[tuple[str, dict[str, bytes]]]:
    return [
        (sample.key, {name: read_bytes(path, part, 1 << 20) for name, part in sample.parts.items()})
        for sample in read_samples(path)
    ]


def test_files_of_a_key_are_a_sample(tmp_path: Path) -> None:
    files = {"1.jpg": b"a", "1.json": b"{}", "2.JPG": b"b", "d.x/3.color.png": b"c", "none": b"d"}
    assert parts(write_tar(tmp_path / "a.tar", files)) == [
        ("1", {"jpg": b"a", "json": b"{}"}),
        ("2", {"jpg": b"b"}),
        ("d.x/3", {"color.png": b"c"}),
    ]


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # webdataset leaves files open
def test_samples_are_those_of_webdataset(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with webdataset.TarWriter(str(path)) as writer:
        for number in range(5):
            key = f"{number:09d}"
            writer.write(
                {"__key__": key, "jpg": bytes([number]), "json": {"n": number}, "txt": "x"}
            )
    expected = [
        (row["__key__"], {name: row[name] for name in ("jpg", "json", "txt")})
        for row in webdataset.WebDataset(str(path), shardshuffle=False, empty_check=False)
    ]
    assert len(expected) == 5
    assert parts(path) == expected


@pytest.mark.parametrize("cut", [0, 100, 512, 700, 1300, 2600])
def test_samples_before_a_cut_are_read(tmp_path: Path, cut: int) -> None:
    files = {f"{number}.jpg": bytes([number] * 600) for number in range(3)}
    path = write_tar(tmp_path / "a.tar", files)
    path.write_bytes(path.read_bytes()[:cut])
    read: list[str] = []
    with pytest.raises(DamagedTarError):
        read.extend(sample.key for sample in read_samples(path))
    assert read == [str(number) for number in range(3) if 1536 * number + 1112 <= cut]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_tar_has_some_samples_and_ends(tmp_path: Path, data: st.DataObject) -> None:
    files = {f"{number}.jpg": bytes([number] * 300) for number in range(4)}
    path = write_tar(tmp_path / "a.tar", files)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, 4_200))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    samples: list[Sample] = []
    with contextlib.suppress(DamagedTarError):
        samples.extend(read_samples(path))
    assert len(samples) <= 4
    for part in (part for sample in samples for part in sample.parts.values()):
        assert part.offset + part.size <= len(content)


@pytest.mark.parametrize(
    ("names", "picture"),
    [
        (["json", "jpg"], "jpg"),
        (["sketch.png", "line.png", "color.png"], "color.png"),
        (["mask.png", "webp"], "webp"),
        (["b.png", "a.png"], "b.png"),
        (["txt", "mp4"], None),
    ],
)
def test_the_picture_of_a_sample_is_found(
    tmp_path: Path, names: list[str], picture: str | None
) -> None:
    path = write_tar(tmp_path / "a.tar", {f"1.{name}": b"x" for name in names})
    (sample,) = read_samples(path)
    found = sample.picture()
    assert (found.name if found else None) == (f"1.{picture}" if picture else None)
