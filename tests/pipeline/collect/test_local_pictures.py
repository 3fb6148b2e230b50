"""Pictures in files on this machine, and in tars."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from pipeline.collect.local_pictures import LocalPictures
from pipeline.collect.options import DownloadOptions
from pipeline.posts.local_file import LocalFile, TarMember
from pipeline.posts.tar_samples import read_samples
from tests.pipeline.posts.test_tar_samples import write_tar


def png(color: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (40, 30), (color, 30, 60)).save(file, "PNG")
    return file.getvalue()


def url_of(path: Path, member: str = "") -> str:
    stat = path.stat()
    file = LocalFile(path=path.name, size=stat.st_size, modified=stat.st_mtime_ns, member=member)
    return file.to_url()


def test_a_picture_in_a_tar_is_read_by_its_place(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"1.png": png(1), "2.png": png(2)})
    pictures = LocalPictures(root=tmp_path, options=DownloadOptions(max_bytes=200))
    for number, sample in enumerate(read_samples(path), start=1):
        fetched = pictures.read(number, url_of(path, str(sample.picture())))
        assert (fetched.outcome.code, fetched.extension) == ("ok", "png")
        assert fetched.content == png(number)


@pytest.mark.parametrize("member", ["7", "x", "-1-5-a.png", "0-a.png"])
def test_a_place_that_is_none_is_refused(tmp_path: Path, member: str) -> None:
    path = write_tar(tmp_path / "a.tar", {"1.png": png(1)})
    pictures = LocalPictures(root=tmp_path, options=DownloadOptions())
    assert pictures.read(1, url_of(path, member)).outcome.code == "bad_url"


def test_the_limit_is_on_the_picture_not_on_the_tar(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"1.png": png(1)})
    (sample,) = read_samples(path)
    small = LocalPictures(root=tmp_path, options=DownloadOptions(max_bytes=20))
    assert small.read(1, url_of(path, str(sample.picture()))).outcome.code == "too_many_bytes"


def test_a_place_behind_the_end_of_a_tar_has_no_bytes(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"1.png": png(1)})
    pictures = LocalPictures(root=tmp_path, options=DownloadOptions())
    member = str(TarMember(1 << 40, 50, "1.png"))
    assert pictures.read(1, url_of(path, member)).outcome.code == "empty"
