"""Posts of a folder of pictures."""

import csv
import json
import os
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from pipeline.posts import folder_source
from pipeline.posts.kaggle_csv import MAX_ROW
from pipeline.posts.local_file import hashed_id, parse_local
from pipeline.posts.metadata import REASONS, import_folder
from pipeline.posts.rows import POSTS
from sketch_models.errors import SengaError


def draw(root: Path, *names: str, size: tuple[int, int] = (30, 20)) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (200, 30, 60)).save(root / name)


def imported(
    root: Path, **options: object
) -> tuple[dict[str, int], dict[str, dict[str, object]], list[tuple[str, str]]]:
    """Return the counts, the posts by path, and reason and text of the quarantine."""
    results = root.parent / "results"
    results.mkdir(exist_ok=True)
    table = results / "posts.parquet"
    counts = import_folder(root, table, results / "quarantine.csv", **options)  # type: ignore[arg-type]
    with (results / "quarantine.csv").open(newline="") as file:
        quarantine = [(row["reason"], row["text"]) for row in csv.DictReader(file)]
    frame = pl.read_parquet(table)
    assert dict(frame.schema) == POSTS
    assert frame["id"].is_sorted()
    rows = {parse_local(row["url"]).path: row for row in frame.rows(named=True)}
    assert counts.pop("posts") == len(rows)
    assert {reason for reason, _ in quarantine} <= REASONS.keys()
    return counts, rows, quarantine


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    return tmp_path / "pictures"


def test_a_picture_is_a_post_with_its_size(root: Path) -> None:
    draw(root, "girl/001.jpg", "b.webp")
    counts, posts, quarantine = imported(root)
    assert counts == {}
    assert quarantine == []
    assert posts.keys() == {"girl/001.jpg", "b.webp"}
    post = posts["girl/001.jpg"]
    assert post["id"] == hashed_id("girl/001.jpg")
    assert (post["width"], post["height"], post["tags"], post["rating"]) == (30, 20, "", None)


@pytest.mark.parametrize("inside", ["", "danbooru/posts/"])
def test_sidecars_of_waifuboard_lie_in_folders_beside_the_pictures(root: Path, inside: str) -> None:
    draw(root, f"{inside}images/a b.jpg", f"{inside}images/2.png", "images of mine/2.png")
    for folder, name, text in (
        ("raws", "a b.json", '[{"id": 7, "tag_string": "1girl solo", "rating": "g", "score": 3}]'),
        ("raws", "lost.json", "[]"),
        ("tags", "a b.txt", "other, tags"),
        ("tags", "2.txt", "1girl, white background"),
        ("tags", "notes.md", "not a sidecar"),
    ):
        (root / inside / folder).mkdir(exist_ok=True)
        (root / inside / folder / name).write_text(text)
    _, posts, quarantine = imported(root)
    first = posts[f"{inside}images/a b.jpg"]
    assert (first["tags"], first["rating"], first["score"]) == ("1girl solo", "s", 3)
    assert posts[f"{inside}images/2.png"]["tags"] == "1girl white_background"
    assert posts["images of mine/2.png"]["tags"] == ""
    assert quarantine == [("no_picture", f"{inside}raws/lost.json")]


def test_sidecars_say_tags_rating_score_and_source(root: Path) -> None:
    draw(root, "1.jpg", "2.png", "3.png", "deep/4.png")
    post = {"tags": "solo 1girl", "rating": "q", "score": 5, "source": "https://a.example/x"}
    (root / "1.jpg.json").write_text(json.dumps(post))
    (root / "1.txt").write_text("other, tags")
    (root / "2.txt").write_text("1girl, white background")
    (root / "2.json").write_text('{"rating": "explicit"}')
    row = {"file_name": "deep/4.png", "text": "solo"}
    (root / "metadata.jsonl").write_text(json.dumps(row))
    counts, posts, _ = imported(root)
    assert counts == {}
    first = posts["1.jpg"]
    assert [first[name] for name in ("tags", "rating", "score", "source")] == [
        "solo 1girl",
        "q",
        5,
        "https://a.example/x",
    ]
    assert (posts["2.png"]["tags"], posts["2.png"]["rating"]) == ("1girl white_background", "e")
    assert posts["3.png"]["tags"] == ""
    assert posts["deep/4.png"]["tags"] == "solo"


def test_files_of_one_stem_are_different_pictures_with_one_sidecar(root: Path) -> None:
    draw(root, "a.jpg", "a.png")
    (root / "a.txt").write_text("solo")
    _, posts, _ = imported(root)
    assert {name: post["tags"] for name, post in posts.items()} == {
        "a.jpg": "solo",
        "a.png": "solo",
    }
    assert len({post["id"] for post in posts.values()}) == 2


def test_names_of_folders_can_be_tags(root: Path) -> None:
    draw(root, "Kuon/white background/a.png", "b.png")
    (root / "b.txt").write_text("solo")
    _, posts, _ = imported(root, folder_tags=True)
    assert {post["tags"] for post in posts.values()} == {"kuon white_background", "solo"}
    assert imported(root)[1]["Kuon/white background/a.png"]["tags"] == ""


def test_whatever_is_odd_is_a_row_and_the_rest_is_imported(root: Path) -> None:
    draw(root, "good.png", "with_sidecar.png")
    for name in ("notes.md", "tags.db", "page.HTML", "posts.parquet"):
        (root / name).write_text("nobody takes it for a picture")
    (root / "empty.png").touch()
    (root / "text.jpg").write_text("<html>")
    (root / "film.mp4").write_bytes(b"\0\0\0\x20ftypisom")
    (root / "link.png").symlink_to(root / "good.png")
    (root / "with_sidecar.json").write_text('{"tags": "so')
    (root / "with_sidecar.txt").write_bytes(b" " * 4_000_001)
    (root / "alone.txt").write_text("solo")
    (root / "metadata.jsonl").write_text('{"file_name": "gone.png", "text": "solo"}')
    (root / "bad").mkdir()
    (root / "bad" / "metadata.jsonl").write_text("{")
    counts, posts, quarantine = imported(root)
    assert posts.keys() == {"good.png", "with_sidecar.png"}
    assert sorted(quarantine) == [
        ("bad_sidecar", "bad/metadata.jsonl line 1: not a JSON object, or cut off"),
        ("bad_sidecar", "with_sidecar.json: not JSON, or cut off"),
        ("bad_sidecar", "with_sidecar.txt: more than 4 MB"),
        ("empty", "empty.png"),
        ("no_picture", "alone.txt"),
        ("no_picture", "gone.png"),
        ("not_a_picture", "film.mp4"),
        ("not_a_picture", "text.jpg"),
        ("symbolic_link", "link.png"),
    ]
    assert sum(counts.values()) == 9


def test_a_bad_line_of_a_table_costs_itself_alone(root: Path) -> None:
    draw(root, "a.png", "girl/b.png", "girl/c.png", "d.png")
    rows = [{"file_name": "a.png", "text": "solo"}, {"file_name": "d.png", "text": "1girl"}]
    (root / "metadata.jsonl").write_text(f'{json.dumps(rows[0])}\n{{"fil\n{json.dumps(rows[1])}\n')
    table = 'file_name,text\nb.png,"solo\nc.png,"1girl, solo"\n'
    (root / "girl" / "metadata.csv").write_text(table)
    counts, posts, quarantine = imported(root)
    assert {name: post["tags"] for name, post in posts.items()} == {
        "a.png": "solo",
        "d.png": "1girl",
        "girl/b.png": "",
        "girl/c.png": "1girl solo",
    }
    quote = "a quotation mark is not closed, or stands inside a field"
    assert sorted(quarantine) == [
        ("bad_sidecar", f"girl/metadata.csv line 2: {quote}"),
        ("bad_sidecar", "metadata.jsonl line 2: not a JSON object, or cut off"),
    ]
    assert counts == {"bad_sidecar": 2}


def test_a_text_that_cannot_be_read_costs_itself_alone(root: Path) -> None:
    draw(root, "a.png", "b.png")
    (root / "a.txt").write_text("1girl, solo", encoding="utf-16")
    (root / "b.txt").write_bytes("1girl, solo".encode("utf-16-le"))
    _, posts, quarantine = imported(root)
    assert {name: post["tags"] for name, post in posts.items()} == {
        "a.png": "1girl solo",
        "b.png": "",
    }
    cause = "NUL bytes, so no text that can be read: save it as UTF-8"
    assert quarantine == [("bad_sidecar", f"b.txt: {cause}")]


@pytest.mark.parametrize("folder_tags", [False, True])
def test_tags_without_end_cost_the_sidecar_alone(root: Path, folder_tags: bool) -> None:
    draw(root, "in/a.png", "in/b.png", "in/c.png", "in/d.png")
    tags = " ".join(f"tag_{number}" for number in range(200_000))
    (root / "in/a.txt").write_text(tags)
    (root / "in/b.json").write_text(json.dumps({"tags": tags}))
    (root / "in/b.txt").write_text("solo")
    row = {"file_name": "c.png", "tags": tags}
    (root / "in/metadata.jsonl").write_text(f"\n{json.dumps(row)}")
    address = "file:in/d.png?0123456789-0123456789012345678"
    (root / "in/d.txt").write_text("x" * (MAX_ROW - len(address)))
    counts, posts, quarantine = imported(root, folder_tags=folder_tags)
    more = "in" if folder_tags else ""
    assert {name: post["tags"] for name, post in posts.items() if name != "in/d.png"} == {
        "in/a.png": more,
        "in/b.png": f"solo {more}".strip(),
        "in/c.png": more,
    }
    assert "in/d.png" in posts
    too_long = [text for _, text in quarantine if "d.txt" not in text]
    places = ("in/a.txt", "in/b.json", "in/metadata.jsonl line 2")
    assert sorted(too_long) == [
        f"{place}: its tags and addresses take more than 32,768 bytes" for place in places
    ]
    assert set(counts) == {"bad_sidecar"}


def test_a_table_that_is_unreadable_as_a_whole_is_one_row_with_the_cause(root: Path) -> None:
    draw(root, "a.png")
    (root / "metadata.csv").write_text("name;text\na.png;solo\nb.png;solo\n")
    _, posts, quarantine = imported(root)
    assert posts.keys() == {"a.png"}
    assert quarantine == [("bad_sidecar", "metadata.csv: its first line names no column file_name")]


@pytest.mark.parametrize(
    "name", [b"new\nline.png", b"\xff\xfe.png", b"100% #1?.png", b"n" * 251 + b".png"]
)
def test_any_name_of_a_file_is_imported(root: Path, name: bytes) -> None:
    draw(root, "a.png")
    (root / "a.png").rename(root / os.fsdecode(name))
    _, posts, _ = imported(root)
    assert list(posts) == [os.fsdecode(name)]


def test_an_id_stays_as_the_folder_grows(root: Path) -> None:
    draw(root, "m.png")
    before = imported(root)[1]["m.png"]
    draw(root, "a.png", "z/z.png")
    after = imported(root)[1]["m.png"]
    assert before | {"line": 0} == after | {"line": 0}


def test_headers_of_files_that_have_not_changed_are_not_read_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(root, "a.png", "b.png")
    imported(root)
    draw(root, "b.png", size=(50, 40))
    os.utime(root / "b.png", (5, 5))
    read = []

    def picture_size(file: object) -> tuple[int, int]:
        read.append(Path(file.name).name)  # type: ignore[attr-defined]
        return 7, 8

    monkeypatch.setattr(folder_source, "picture_size", picture_size)
    _, posts, _ = imported(root, previous=root.parent / "results" / "posts.parquet")
    assert read == ["b.png"]
    assert (posts["a.png"]["width"], posts["b.png"]["width"]) == (30, 7)


def test_a_damaged_earlier_table_is_left_alone(root: Path) -> None:
    draw(root, "a.png")
    (root.parent / "old.parquet").write_bytes(b"PAR1")
    assert imported(root, previous=root.parent / "old.parquet")[1].keys() == {"a.png"}


def test_a_folder_without_pictures_is_one_sentence(root: Path) -> None:
    with pytest.raises(SengaError, match="no picture is in it"):
        imported(root)
