"""A dataset from a table: of pictures on this machine, and of pictures that a board serves."""

import json
import os
from pathlib import Path

import h5py
import polars as pl

from benchmarks.harness.web import Page, Web, serving
from pipeline.picture import encode_png
from pipeline.sample_booru.artist.draw import draw
from tests.end_to_end.luigi import run_luigi

FEW_LINES = ("--sketch-models=xdog", "--simplify-model=centerline", "--pack-size=32")


def build(folder: Path, table: str, *arguments: str) -> str:
    options = (f"--metadata-table={folder / table}", f"--build-data={folder / 'data'}", *FEW_LINES)
    return run_luigi(*options, *arguments)


def packed(folder: Path, name: str) -> dict[int, str]:
    """Return the tags by id of all packed pictures."""
    tags: dict[int, str] = {}
    for split in ("train.h5", "test.h5"):
        with h5py.File(folder / "data" / name / split) as file:
            tags |= dict(zip(file["id"][:].tolist(), file["tags"].asstr()[:], strict=True))
    return tags


def test_files_of_a_table_become_a_dataset(tmp_path: Path) -> None:
    """As in the dumps of Danbooru: post 4560123 is 0123/4560123.png."""
    pictures = tmp_path / "original"
    rows = []
    for number in (4560123, 9000123, 5, 6):
        (pictures / f"{number % 1000:04d}").mkdir(parents=True, exist_ok=True)
        path = pictures / f"{number % 1000:04d}" / f"{number}.png"
        path.write_bytes(encode_png(draw(number % 97).color[::2, ::2].copy()))
        row = {"id": number, "tag_string": "1girl solo", "tag_string_general": "1girl solo"}
        rows.append(row | {"rating": "g", "md5": "0" * 32, "image_width": 512, "file_ext": "png"})
    rows.append(rows[0] | {"id": 77})
    (tmp_path / "posts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    log = build(tmp_path, "posts.jsonl", f"--metadata-files={pictures}")
    assert "is read as Danbooru's API and dumps" in log
    assert "metadata  4 posts" in log
    assert "missing_file" in log
    assert packed(tmp_path, "posts") == dict.fromkeys((5, 6, 4560123, 9000123), "1girl solo")
    assert "Nothing to do" in build(tmp_path, "posts.jsonl", f"--metadata-files={pictures}")

    os.utime(pictures / "0005" / "5.png", ns=(1, 1))
    (pictures / "0077").mkdir()
    (pictures / "0077" / "77.png").write_bytes(encode_png(draw(9).color[::2, ::2].copy()))
    log = build(tmp_path, "posts.jsonl", f"--metadata-files={pictures}")
    assert "metadata  5 posts" in log
    assert 77 in packed(tmp_path, "posts")


def test_folder_of_the_pictures_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    rows = '{"id": 1, "file": "a.png"}\n{"id": 2, "file": "b.png"}\n'
    (tmp_path / "posts.jsonl").write_text(rows)
    for number, name in enumerate("ab"):
        (tmp_path / f"{name}.png").write_bytes(encode_png(draw(number).color))
    options = [f"--metadata-table={tmp_path / 'posts.jsonl'}", f"--build-data={tmp_path / 'data'}"]
    for name, fault in (("gone", "there is no such folder"), ("posts.jsonl", "it is a file")):
        files = f"--metadata-files={tmp_path / name}"
        log = run_luigi(*options, *FEW_LINES, files, code=40)
        expected = f"[metadata] files = {tmp_path / name}: {fault}. Set it to their folder.\n"
        assert log == expected


class Booru(Web):
    """A server of a drawing under every path."""

    def next_page(self, path: str) -> Page:
        if path == "/robots.txt":
            return super().next_page(path)
        picture = encode_png(draw(int(Path(path).stem)).color[::2, ::2].copy())
        return self.page(picture, Content_Type="image/png")


def test_addresses_of_a_table_are_downloaded(tmp_path: Path) -> None:
    with serving(Booru()) as server:
        rows = [
            {"post": n, "link": f"http://{server.address}/{n}.png", "labels": "solo, long hair"}
            for n in range(1, 5)
        ]
        pl.DataFrame(rows).write_csv(tmp_path / "mine.csv.gz", compression="gzip")
        columns = "--metadata-columns=id=post url=link tags=labels"
        local = ("--download-hosts=127.0.0.1", "--download-allow-private=true")
        build(tmp_path, "mine.csv.gz", columns, *local)
    assert packed(tmp_path, "mine") == dict.fromkeys(range(1, 5), "solo long_hair")
