"""A build in which nothing is left says what was lost most, why, and which file lists it."""

import re
from pathlib import Path

import pytest

from benchmarks.harness.web import Web
from pipeline.picture import encode_png
from pipeline.sample_booru.artist.draw import draw
from tests.end_to_end.luigi import run_luigi

HEADER = "id,created_at,rating,score,sample_url,sample_width,sample_height,preview_url,tags\n"
TAGS = "white_background solo upper_body"


def rows(url: str, rating: str = "s", tags: str = TAGS) -> str:
    return "".join(f"{n},0,{rating},1,{url}/{n}.png,9,9,,{tags}\n" for n in range(1, 21))


def failure(folder: Path, csv: str, *arguments: str, task: str = "BuildDataset") -> str:
    """Return the last line of a build that fails."""
    (folder / "posts.csv").write_text(csv)
    source = ["--metadata-source", "csv", "--metadata-csv", str(folder / "posts.csv")]
    arguments = (*source, "--build-data", str(folder), "--split-test-size", "2", *arguments)
    return run_luigi(*arguments, task=task, code=30).splitlines()[-1]


def named_file(message: str) -> Path:
    """Return the file that a message names, which must exist."""
    found = re.search(r"(?:\s|^)(/\S+\.(?:csv|parquet))\b", message)
    assert found, message
    assert Path(found[1]).is_file()
    return Path(found[1])


def test_unreadable_rows_are_named(tmp_path: Path) -> None:
    message = failure(tmp_path, HEADER + rows("ftp://a.example"), task="FilterPosts")
    assert message.startswith(
        "No row of the source is a post. The biggest loss: metadata dropped 20 of 20 rows as "
        "bad_url: the address of the picture is not an http or https URL. "
    )
    assert message.endswith("Check that the source is the one you meant.")
    assert "ftp://a.example/7.png" in named_file(message).read_text()


def test_rows_that_cannot_be_read_are_named_before_a_rule(tmp_path: Path) -> None:
    csv = HEADER + rows("ftp://a.example") + "99,0,q,1,//a.example/b.png,9,9,,solo\n"
    message = failure(tmp_path, csv, task="FilterPosts")
    assert message.startswith("[filter]: no post matches (all_tags white_background dropped 1, ")
    assert "metadata dropped 20 of 21 rows as bad_url" in message
    assert named_file(message).name == "quarantine.csv"


def test_ratings_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    message = failure(tmp_path, HEADER + rows("//a.example", rating="?"), task="FilterPosts")
    assert "ratings s dropped most of the 20 posts, which are in" in message
    assert message.endswith("; 20 have no rating that can be read. Loosen one of these rules.")
    assert named_file(message).name == "posts.parquet"


def test_tag_that_no_post_has_is_named_and_not_the_rule_that_dropped_most(tmp_path: Path) -> None:
    few = "99,0,s,1,//a.example/b.png,9,9,,white_background solo upper_body\n"
    csv = HEADER + rows("//a.example", tags="upper_body") + few
    tags = "white_background,solo,uper_body"
    message = failure(tmp_path, csv, "--filter-all-tags", tags, task="FilterPosts")
    assert "No post of 21 has the tag uper_body. Check how it is spelled in" in message
    assert named_file(message).name == "posts.parquet"


def test_danbooru_is_told_apart(tmp_path: Path) -> None:
    csv = (
        "id,created_at,score,rating,image_width,tag_string,file_url\n1,2020,1,g,9,solo,https://x\n"
    )
    message = failure(tmp_path, csv, task="FilterPosts")
    assert "These are posts of Danbooru, with other names" in message
    message = failure(tmp_path, HEADER + rows("https://cdn.donmai.us"), "--filter-ratings", "s")
    assert message.startswith(
        "20 of 20 pictures are on hosts that are not allowed (cdn.donmai.us). If you trust them, "
        "add them to [download] hosts."
    )


@pytest.mark.parametrize("robots_txt", ["true", "false"])
def test_private_hosts_are_named(tmp_path: Path, web: Web, robots_txt: str) -> None:
    hosts = ("--download-hosts", "127.0.0.1", "--download-robots-txt", robots_txt)
    message = failure(tmp_path, HEADER + rows(f"http://{web.address}"), *hosts)
    assert message == (
        "20 of 20 pictures are on this machine or in a private network (127.0.0.1). If this is a "
        "booru of your own, set [download] allow_private = true. Those downloaded so far are kept."
    )


@pytest.mark.parametrize("found", [0, 2])
def test_dead_links_are_named(tmp_path: Path, web: Web, found: int) -> None:
    for number in range(1, found + 1):
        content = encode_png(draw(number).color)
        web.put(f"/{number}.png", web.page(content, Content_Type="image/png"))
    local = ("--download-hosts", "127.0.0.1", "--download-allow-private", "true")
    fast = ("--download-requests-per-second", "0", "--sketch-size", "128")
    message = failure(tmp_path, HEADER + rows(f"http://{web.address}"), *local, *fast)
    start = (
        "[split] test_size = 2: of 2 pictures, none would be left for training. Lower it, or "
        "loosen [filter]. " if found else "No picture is left. "
    )  # fmt: skip
    loss = f"The biggest loss: download dropped {20 - found} of 20 pictures as http_404"
    assert message.startswith(start + loss)
    assert named_file(message).name == "shard-00000.outcomes.parquet"
