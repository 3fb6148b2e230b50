"""What became of a URL: the closed set of reasons, and the table of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from pipeline.errors import SengaError
from pipeline.outcome import OK, Outcome

MEANINGS = {
    OK: "the picture is in the shard",
    "timeout": "the server was silent for too long, or the URL's deadline passed",
    "connection_failed": "no such host, or the connection was refused, reset or closed",
    "tls_failed": "the server's certificate or its encryption cannot be trusted",
    "incomplete": "the connection ended before the announced length",
    "too_many_bytes": "the file is larger than [download] max_bytes",
    "bad_url": "not a URL",
    "wrong_scheme": "neither http nor https",
    "too_many_redirects": "five redirects, and no end",
    "html": "a web page in the place of a picture",
    "wrong_type": "a picture of another type than the URL's extension says",
}
"""Every code but two families: `http_<status>` for an answer other than 200, such as `http_404`,
and the codes of `PictureError` for bytes that do not decode."""

_PASSING = {"timeout", "connection_failed", "tls_failed", "incomplete"}
_PASSING_STATUS = {408, 425, 429}  # request timeout, too early, too many requests

_SCHEMA = {
    "id": pl.Int64,
    "url": pl.String,
    "code": pl.String,
    "status": pl.Int16,
    "bytes": pl.Int64,
    "sha256": pl.String,
    "transient": pl.Boolean,
    "detail": pl.String,
}


def is_transient(code: str) -> bool:
    """Whether asking again later may help."""
    family, _, status = code.partition("_")
    if family == "http":
        return int(status) in _PASSING_STATUS or int(status) >= 500
    return code in _PASSING


@dataclass(frozen=True)
class DownloadOutcome(Outcome):
    """The fate of one post's URL.

    Attributes:
        url: as the post has it, before any redirect.
        status: of the last HTTP answer; None where there was none.
        bytes: length of the body: announced where it was refused unread, else received.
        sha256: of the bytes that were kept, 64 hex digits; empty where none were.
    """

    url: str = ""
    status: int | None = None
    bytes: int = 0
    sha256: str = ""

    @property
    def transient(self) -> bool:
        """Whether asking again later may help."""
        return is_transient(self.code)


def write_outcomes(outcomes: Iterable[DownloadOutcome], path: Path) -> None:
    """Writes a Parquet table, one row per URL in the given order.

    Columns: `id`, `url`, `code`, `status`, `bytes`, `sha256`, `transient`, `detail`.
    """
    rows = [asdict(outcome) | {"transient": outcome.transient} for outcome in outcomes]
    pl.DataFrame(rows, schema=_SCHEMA).write_parquet(path)


def read_outcomes(path: Path) -> dict[int, DownloadOutcome]:
    """The outcomes of a table by post id, in its order.

    Raises:
        SengaError: where the file is not such a table.
    """
    try:
        rows = pl.read_parquet(path, columns=list(_SCHEMA)).drop("transient").to_dicts()
    except pl.exceptions.PolarsError as error:
        raise SengaError(
            f"{path} is not a table of download outcomes: delete it and run again."
        ) from error
    return {row["id"]: DownloadOutcome(**row) for row in rows}
