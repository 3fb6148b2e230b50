"""The section `[metadata]`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.posts.board_account import KEY_VARIABLE, USER_VARIABLE
from pipeline.posts.boards.known import AUTO, BOARDS, recognise
from pipeline.posts.layouts import parse_columns
from sketch_models.errors import ConfigError
from sketch_models.option import Options, option
from sketch_models.weights.cache import expand_path

LOCAL_SOURCES = ("folder", "webdataset", "hf")
"""Sources whose pictures are on this machine."""

OWN_SOURCES = (*LOCAL_SOURCES, "table")
"""Sources that are a person's own, and whose paths have options of the same names."""

HOW_TO_GET_IT = (
    "the Kaggle dataset alamson/safebooru holds it as all_data.csv: --metadata-source kaggle "
    "fetches it (`pip install -e .[kaggle]`), or set [metadata] csv to the path of your copy"
)
"""The end of the message if there is no CSV."""


@dataclass(frozen=True, kw_only=True)
class MetadataOptions(Options, section="metadata"):
    """The source of the posts."""

    source: str = option(
        "sample",
        "source of the posts: sample (a small drawn booru), csv, kaggle, api (a live board), "
        "folder (pictures on this machine), webdataset (tars of pictures), hf (tables with "
        "pictures) or table (of addresses or files); the option of this name alone chooses one of "
        "the last four",
        choices=("sample", "csv", "kaggle", "api", "folder", "webdataset", "hf", "table"),
    )
    csv: str = option(
        "",
        "path of a CSV in the Kaggle layout, plain or gzipped, or Parquet; source = csv",
        path=True,
    )
    folder: str = option(
        "", "path of a folder with pictures, at any depth; source = folder", path=True
    )
    webdataset: str = option(
        "",
        "path of a tar with pictures, or of a folder with such tars; source = webdataset",
        path=True,
    )
    folder_tags: bool = option(
        False, "make the names of the folders that a picture is in tags of it; source = folder"
    )
    follow_links: bool = option(
        False, "follow symbolic links in the folder, wherever they lead; folder, webdataset, hf"
    )
    hf: str = option(
        "",
        "path of a Parquet or Arrow file with pictures, or of a folder with such files, or a "
        "dataset of the Hugging Face hub, such as user/name; source = hf",
        path=True,
    )
    image_column: str = option(
        "", "name of the column of pictures; empty: it is found; source = hf"
    )
    table: str = option(
        "",
        "path of a table of any columns: CSV, TSV, JSON, JSON lines, Parquet or SQLite; "
        "source = table",
        path=True,
    )
    columns: str = option(
        "",
        "which column of the table holds what, such as `id=post_id url=link tags=labels`; known "
        "layouts need none; source = table",
    )
    files: str = option(
        "",
        "folder of the pictures that the table names, or of Danbooru's dumps; if empty, that of "
        "the table; source = table",
        path=True,
    )
    api_url: str = option(
        "https://safebooru.org/index.php",
        "address of a board's API; source = api",
        renamed_from="api",
    )
    board: str = option(
        AUTO,
        "program that the board runs; auto: the one that the address tells; source = api",
        choices=BOARDS,
    )
    tags_per_search: int = option(
        0,
        "tags to search the board for, the first of [filter] all_tags; 0: what such boards allow; "
        "source = api",
        at_least=0,
    )
    new_posts: bool = option(
        True,
        "ask the board for posts that are new since the last run; source = api",
        affects_result=False,
    )
    sample_posts: int = option(
        365, "number of posts of the sample booru; source = sample", at_least=1
    )

    def __post_init__(self) -> None:
        """Check every value, and that the source has its file or its address."""
        super().__post_init__()
        self._choose_source()
        if self.source in OWN_SOURCES:
            self.require(bool(self.place), self.source, "the path of a file or folder")
        if self.source == "csv":
            self.require(bool(self.csv), "csv", f"the path of a CSV: {HOW_TO_GET_IT}")
        self._require_columns()
        self._require_address()
        if self.source == "api" and self.board == AUTO:
            names = ", ".join(name for name in BOARDS if name != AUTO)
            self.require(
                bool(recognise(self.api_url)),
                "board",
                f"one of {names}, since the address {self.api_url} does not tell",
            )

    @property
    def place(self) -> str:
        """The path of the pictures of a local source, or of a table."""
        return str(getattr(self, self.source))

    @property
    def pictures_folder(self) -> Path:
        """The folder that the addresses of local pictures start from."""
        has_files = self.source == "table" and self.files
        path = expand_path(self.files if has_files else self.place)
        return path.parent if path.is_file() else path

    def _choose_source(self) -> None:
        """Let the path of a person's own pictures choose the source.

        Raises:
            ConfigError: if there are two, or another source is chosen.
        """
        given = [name for name in OWN_SOURCES if getattr(self, name)]
        if self.source == "sample" and given:
            object.__setattr__(self, "source", given[0])
        others = [f"{name} = {getattr(self, name)}" for name in given if name != self.source]
        if others:
            is_own = self.source in OWN_SOURCES
            chosen = f"{self.source} = {self.place}" if is_own else f"source = {self.source}"
            raise ConfigError(
                f"[metadata] {chosen} and {others[0]} are two sources. Leave one of them out."
            )

    def _require_address(self) -> None:
        """Check the address of the API.

        Raises:
            ConfigError: if it is none; if it may hold a key, without it.
        """
        try:
            parts = urlsplit(self.api_url)
            is_address = parts.scheme in ("https", "http") and bool(parts.hostname)
        except ValueError:  # of brackets that are not closed
            is_address = False
        if is_address and (parts.query or parts.fragment or "@" in parts.netloc):
            raise ConfigError(
                "[metadata] api_url: expected an address without ?, # and @; a key goes into the "
                f"environment, as {USER_VARIABLE} and {KEY_VARIABLE}."
            )
        address = "an address such as https://safebooru.org/index.php"
        self.require(is_address and "?" not in self.api_url, "api_url", address)

    def _require_columns(self) -> None:
        try:
            parse_columns(self.columns)
        except ValueError as error:
            self.require(False, "columns", str(error))
