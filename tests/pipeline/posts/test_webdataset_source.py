"""Posts of pictures in tars."""

import csv
import json
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from pipeline.posts.local_file import TarMember, hashed_id, parse_local
from pipeline.posts.metadata import REASONS, import_webdataset
from pipeline.posts.tar_samples import read_bytes
from sketch_models.errors import SengaError
from tests.pipeline.posts.test_tar_samples import write_tar


def picture(color: int = 9, kind: str = "JPEG") -> bytes:
    file = BytesIO()
    Image.new("RGB", (30, 20), (color, 30, 60)).save(file, kind)
    return file.getvalue()


def imported(root: Path, results: Path) -> tuple[list[dict[str, object]], list[tuple[str, str]]]:
    """Return the posts by id, and reason and text of the quarantine."""
    results.mkdir(exist_ok=True)
    table = results / "posts.parquet"
    counts = import_webdataset(root, table, results / "quarantine.csv")
    with (results / "quarantine.csv").open(newline="") as file:
        quarantine = [(row["reason"], row["text"]) for row in csv.DictReader(file)]
    posts = pl.read_parquet(table).rows(named=True)
    assert counts.pop("posts") == len(posts)
    assert sum(counts.values()) == len(quarantine)
    assert {reason for reason, _ in quarantine} <= REASONS.keys()
    return posts, quarantine


@pytest.fixture
def tars(tmp_path: Path) -> Path:
    (tmp_path / "tars").mkdir()
    return tmp_path / "tars"


def test_tars_of_img2dataset_are_read(tars: Path) -> None:
    for shard in range(2):
        files: dict[str, bytes] = {}
        for number in range(3):
            key = f"{shard:05d}{number:04d}"
            facts = {"caption": "1girl, white background", "url": "https://a.example/x", "key": key}
            files[f"{key}.jpg"] = picture()
            files[f"{key}.txt"] = b"1girl, white background"
            files[f"{key}.json"] = json.dumps(facts).encode()
        write_tar(tars / f"{shard:05d}.tar", files)
        (tars / f"{shard:05d}_stats.json").write_text("{}")
        (tars / f"{shard:05d}.parquet").write_bytes(b"PAR1")
    posts, quarantine = imported(tars, tars.parent / "results")
    assert [post["id"] for post in posts[:5]] == [1, 2, 10_000, 10_001, 10_002]
    assert posts[5]["id"] == hashed_id("00000.tar#000000000")  # 0 is no id
    assert {post["tags"] for post in posts} == {"1girl white_background"}
    assert quarantine == []


@pytest.mark.parametrize(
    ("key", "post_id"),
    [
        ("1", 1),
        ("deep/12", 12),
        ("4822876181518041603", 4822876181518041603),  # of a dataset from a folder
        (str(2**63 - 1), 2**63 - 1),
        (str(2**63), None),
        ("99999999999999999999", None),
        ("0", None),
        ("-1", None),
        ("1.5", 1),  # a key ends at the first dot
        ("\u0661", None),
        ("000000012", 12),  # of img2dataset: shard and place in it
        ("00123456789012345", None),
        ("00000000000000000012", 12),
        ("000000000000000000012", None),
    ],
)
def test_a_key_that_is_a_whole_number_is_the_id(tars: Path, key: str, post_id: int | None) -> None:
    write_tar(tars / "a.tar", {f"{key}.jpg": picture()})
    ((post,), _) = imported(tars, tars.parent / "results")
    assert post["id"] == (post_id or hashed_id(f"a.tar#{key}"))


def test_the_address_of_a_picture_leads_to_its_bytes(tars: Path) -> None:
    content = picture(77)
    write_tar(tars / "a.tar", {"12.json": b'{"tags": "solo", "rating": "q"}', "12.jpg": content})
    ((post,), _) = imported(tars, tars.parent / "results")
    assert (post["id"], post["tags"], post["rating"]) == (12, "solo", "q")
    assert (post["width"], post["height"]) == (30, 20)
    file = parse_local(str(post["url"]))
    member = TarMember.parse(file.member)
    assert member is not None
    assert read_bytes(tars / file.path, member, 1 << 20) == content


def test_one_tar_alone_is_read(tars: Path) -> None:
    path = write_tar(tars / "a.tar", {"girl.jpg": picture()})
    ((post,), _) = imported(path, tars.parent / "results")
    assert post["id"] == hashed_id("a.tar#girl")


def test_keys_that_restart_in_each_tar_are_no_ids(tars: Path) -> None:
    for name in ("a.tar", "b.tar"):
        write_tar(tars / name, {"1.jpg": picture(), "2.jpg": picture()})
    posts, quarantine = imported(tars, tars.parent / "results")
    assert len(posts) == 4
    assert quarantine == []
    assert posts[0]["id"] in {hashed_id(f"{tar}.tar#{key}") for tar in "ab" for key in (1, 2)}


def test_whatever_is_odd_is_a_row_and_the_rest_is_imported(tars: Path) -> None:
    good = write_tar(tars / "a.tar", {"7.jpg": picture(), "8.jpg": b"no picture", "9.txt": b"x"})
    (tars / "cut.tar").write_bytes(
        write_tar(tars / "b.tar", {"5.jpg": picture()}).read_bytes()[:600]
    )
    (tars / "b.tar").unlink()
    (tars / "packed.tar.gz").write_bytes(b"\x1f\x8b")
    (tars / "link.tar").symlink_to(good)
    write_tar(tars / "z.tar", {"7.jpg": picture(), "6.jpg": picture(), "6.json": b"{"})
    posts, quarantine = imported(tars, tars.parent / "results")
    assert [post["id"] for post in posts] == [6, 7]
    assert sorted(quarantine) == [
        ("bad_sidecar", "z.tar: 6.json: not JSON, or cut off"),
        ("compressed_tar", "packed.tar.gz"),
        ("damaged_tar", "cut.tar"),
        ("duplicate_id", "z.tar: 7.jpg"),
        ("no_picture", "a.tar: 9"),
        ("not_a_picture", "a.tar: 8.jpg"),
        ("symbolic_link", "link.tar"),
    ]


def test_tags_without_end_cost_the_sidecar_alone(tars: Path) -> None:
    tags = " ".join(f"tag_{number}" for number in range(200_000)).encode()
    files = {"7.jpg": picture(), "7.json": b'{"tags": "%b"}' % tags, "7.txt": b"solo"}
    write_tar(tars / "a.tar", {**files, "8.jpg": picture(), "8.txt": tags})
    posts, quarantine = imported(tars, tars.parent / "results")
    assert [(post["id"], post["tags"]) for post in posts] == [(7, "solo"), (8, "")]
    fault = "its tags and addresses take more than 32,768 bytes"
    assert quarantine == [
        ("bad_sidecar", f"a.tar: 7.json: {fault}"),
        ("bad_sidecar", f"a.tar: 8.txt: {fault}"),
    ]


def test_without_tars_it_is_one_sentence(tars: Path) -> None:
    with pytest.raises(SengaError, match="no tar is in it"):
        imported(tars, tars.parent / "results")
    with pytest.raises(SengaError, match="no such tar or folder"):
        imported(tars / "gone", tars.parent / "results")
