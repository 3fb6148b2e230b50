"""A dataset from pictures on this machine."""

import json
import os
from pathlib import Path

import h5py

from pipeline.picture import encode_png
from pipeline.posts.local_file import hashed_id
from pipeline.sample_booru.artist.draw import draw
from pipeline.shard import write_shard
from tests.end_to_end.luigi import run_luigi

FEW_LINES = ("--sketch-models=xdog", "--simplify-model=centerline", "--pack-size=32")


def build(folder: Path, *arguments: str, code: int = 0) -> str:
    pictures, data = folder / "My pictures", folder / "data"
    options = (f"--metadata-folder={pictures}", f"--build-data={data}", *FEW_LINES)
    return run_luigi(*options, *arguments, code=code)


def fill(tmp_path: Path) -> dict[str, bytes]:
    """Write pictures with and without sidecars, and odd files; return the good ones."""
    root = tmp_path / "My pictures"
    (root / "deep" / "er").mkdir(parents=True)
    contents = {}
    for number, name in enumerate(("a.png", "b 2.png", "deep/c.png", "deep/er/d#4?.png")):
        contents[name] = encode_png(draw(number + 1).color[::2, ::2].copy())
        (root / name).write_bytes(contents[name])
    (root / "a.txt").write_text("1girl, white background")
    post = {"tags": ["solo"], "rating": "q", "source": "https://a.example/1"}
    (root / "b 2.png.json").write_text(json.dumps(post))
    (root / "broken.png").write_bytes(contents["a.png"][:100])
    (root / "text.png").write_text("no picture")
    (root / "link.png").symlink_to(root / "a.png")
    return contents


def packed(dataset: Path) -> dict[int, str]:
    """Return the tags by id of all packed pictures."""
    tags: dict[int, str] = {}
    for name in ("train.h5", "test.h5"):
        with h5py.File(dataset / name) as file:
            tags |= dict(zip(file["id"][:].tolist(), file["tags"].asstr()[:], strict=True))
    return tags


def test_a_folder_becomes_a_dataset(tmp_path: Path) -> None:
    contents = fill(tmp_path)
    before = sorted(path.name for path in (tmp_path / "My pictures").rglob("*"))
    log = build(tmp_path)
    assert "metadata  5 posts" in log
    assert "copy      4 pictures" in log
    assert packed(tmp_path / "data" / "My_pictures") == {
        hashed_id("a.png"): "1girl white_background",
        hashed_id("b 2.png"): "solo",
        hashed_id("deep/c.png"): "",
        hashed_id("deep/er/d#4?.png"): "",
    }
    assert sorted(path.name for path in (tmp_path / "My pictures").rglob("*")) == before
    assert "Nothing to do" in build(tmp_path)

    new = tmp_path / "My pictures" / "new.png"
    new.write_bytes(contents["a.png"])
    os.utime(tmp_path / "My pictures" / "a.png", (5, 5))
    (tmp_path / "My pictures" / "b 2.png").unlink()
    build(tmp_path)
    assert packed(tmp_path / "data" / "My_pictures").keys() == {
        hashed_id(name) for name in ("a.png", "new.png", "deep/c.png", "deep/er/d#4?.png")
    }


def test_rules_that_are_given_apply(tmp_path: Path) -> None:
    fill(tmp_path)
    log = build(
        tmp_path, "--filter-all-tags=solo", "--split-test-size=1", "--filter-ratings=q", code=30
    )
    assert "none would be left for training" in log


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    assert "there is no such folder" in build(tmp_path, code=40)


def test_tars_become_a_dataset(tmp_path: Path) -> None:
    tars, data = tmp_path / "tars", tmp_path / "data"
    tars.mkdir()
    samples = []
    for number in range(4):
        content = encode_png(draw(number + 1).color[::2, ::2].copy())
        samples.append((number, {"png": content, "json": b'{"caption": "1girl, solo"}'}))
    write_shard(tars / "00000.tar", samples[:2])
    write_shard(tars / "00001.tar", samples[2:])
    options = (f"--metadata-webdataset={tars}", f"--build-data={data}", *FEW_LINES)
    run_luigi(*options)
    first = hashed_id("00000.tar#0")  # which is no id
    assert packed(data / "tars") == dict.fromkeys([first, 1, 2, 3], "1girl solo")
    assert "Nothing to do" in run_luigi(*options)
