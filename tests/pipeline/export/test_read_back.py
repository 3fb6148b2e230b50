"""What an export says of its pictures is what an import of it reads."""

from pathlib import Path

import polars as pl
import pytest

from pipeline.export.post import Post
from pipeline.pack.pack import ShardPaths
from pipeline.posts.hf_files import find_tables
from pipeline.posts.metadata import import_folder, import_tables, import_webdataset
from tests.pipeline.export.small_build import HEIGHT, IDS, WIDTH, Run, write_posts

COLUMNS = ("tags", "artist", "character", "copyright", "meta", "rating", "post_url")

POSTS = [
    Post(
        id=post_id,
        tags=f"someone kuon_(utawarerumono) a_work girls,_be \\(^o^)/ highres tag_{post_id}_猫",
        artist="someone",
        character="kuon_(utawarerumono)",
        copyright="a_work",
        meta="highres",
        rating="q",
        url=f"https://img.example/{post_id}.png",
        source="https://artist.example/1",
        post_url=f"https://booru.example/posts/{post_id}",
    )
    for post_id in IDS[:-1]
]
UNKNOWN = Post(id=IDS[-1], url="file:a.png?1-2")  # its caption is nothing but the prefix


def import_export(path: Path, results: Path) -> list[dict[str, object]]:
    """Import a folder with an export in the way that is for its format; return the posts."""
    table, quarantine = results / "posts.parquet", results / "quarantine.csv"
    if path.name == "imagefolder":
        counts = import_folder(path, table, quarantine)
    elif path.name == "webdataset":
        counts = import_webdataset(path, table, quarantine)
    else:
        counts = import_tables(find_tables(path), table, quarantine)
    assert counts == {"posts": len(IDS)}, quarantine.read_text()
    return pl.read_parquet(table).rows(named=True)


@pytest.mark.parametrize("name", ["imagefolder", "webdataset", "parquet"])
def test_an_export_is_read_back_whole(
    tmp_path: Path, run: Run, shards: list[ShardPaths], name: str
) -> None:
    for paths in shards:
        ids = pl.read_parquet(paths.posts)["id"]
        write_posts(paths.posts, [post for post in [*POSTS, UNKNOWN] if post.id in ids])
    run(format=name, lines=("original", "pured"), caption_prefix="trigger word")
    posts = import_export(tmp_path / "out" / name, tmp_path)
    assert [post["id"] for post in posts] == IDS
    for post, written in zip(posts, [*POSTS, UNKNOWN], strict=True):
        expected = {key: getattr(written, key) or None for key in COLUMNS}
        assert {key: post[key] for key in COLUMNS} == {**expected, "tags": written.tags}
        assert (post["width"], post["height"]) == (WIDTH, HEIGHT)
