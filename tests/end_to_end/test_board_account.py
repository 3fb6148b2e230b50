"""A dataset from a board that wants an account, which no file and no message gives away."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import h5py
import polars as pl
import pytest

from benchmarks.harness.web import Page, Web, serving
from pipeline.picture import encode_png
from pipeline.sample_booru.artist.draw import draw
from tests.end_to_end.luigi import run_luigi

KEY, USER = "f00dfeed5ecre7", "9876543"


class AccountBoard(Web):
    """A board that answers only with an account, and repeats it in its posts."""

    def next_page(self, path: str) -> Page:
        if path.startswith("/index.php"):
            return self.api(parse_qs(urlsplit(path).query), path)
        if ".png?" in path:
            picture = draw(int(Path(path.partition("?")[0]).stem)).color[::2, ::2].copy()
            return self.page(encode_png(picture), Content_Type="image/png")
        return super().next_page(path)

    def api(self, query: dict[str, list[str]], path: str) -> Page:
        account = (query.get("api_key"), query.get("user_id"))
        if account != ([KEY], [USER]):
            return self.page(f'"Missing authentication. You sent {path}"'.encode(), 401)
        words = query["tags"][0].split()
        if "-_-" in words:
            return self.page(b'"-_- excludes"', 500)
        above = next(int(word[4:]) for word in words if word.startswith("id:>"))
        posts = [self.post(number, path) for number in range(10, 16) if number > above]
        return self.page(json.dumps(posts).encode())

    def post(self, number: int, path: str) -> dict[str, object]:
        return {
            "id": number,
            "rating": "Safe",
            "score": 1.0,
            "width": 200,
            "height": 300,
            "tags": "solo -_- white_background upper_body" if number < 14 else "solo",
            "file_url": f"http://{self.address}/{number}.png?{urlsplit(path).query}",
            "source": f"{KEY} {path}",
        }


@pytest.fixture
def board() -> Iterator[AccountBoard]:
    with serving(AccountBoard()) as server:
        yield server


def build(folder: Path, board: AccountBoard, code: int = 0, **variables: str) -> str:
    source = ["--metadata-source", "api", "--metadata-api-url", f"http://{board.address}/index.php"]
    local = ["--download-hosts", "127.0.0.1", "--download-allow-private", "true"]
    small = ["--sketch-size", "128", "--pack-size", "32", "--split-test-size", "1"]
    tags = ["--filter-all-tags=-_-"]
    arguments = [*source, *local, *small, *tags, "--build-data", str(folder)]
    return run_luigi(*arguments, code=code, **variables)


def contents(folder: Path) -> Iterator[str]:
    """Yield every file below a folder as text, tables as their cells."""
    for path in folder.rglob("*"):
        yield path.name
        if path.suffix == ".parquet":
            yield str(pl.read_parquet(path).to_dicts())
        elif path.suffix == ".h5":
            with h5py.File(path) as file:
                yield str(dict(file.attrs))
        elif path.is_file():
            yield path.read_bytes().decode("latin-1")


def test_account_is_asked_for_used_and_given_away_by_nothing(
    tmp_path: Path, board: AccountBoard
) -> None:
    message = build(tmp_path, board, code=30)
    assert "was answered with 401 (Unauthorized): 'Missing authentication" in message
    assert "Set the environment variables SENGA_BOARD_KEY and SENGA_BOARD_USER" in message

    wrong = build(tmp_path, board, code=30, SENGA_BOARD_KEY="0bad5ecre7", SENGA_BOARD_USER=USER)
    assert "Check the environment variables SENGA_BOARD_KEY and SENGA_BOARD_USER" in wrong
    assert "0bad5ecre7" not in wrong
    assert USER not in wrong

    messages = build(tmp_path, board, SENGA_BOARD_KEY=KEY, SENGA_BOARD_USER=USER)
    with h5py.File(tmp_path / "sample" / "train.h5") as train:
        assert len(train["id"]) == 3  # of the four with the tag -_-, one is in the test set
    for text in (messages, *contents(tmp_path)):
        assert KEY not in text
        assert USER not in text
