"""Outcomes of URLs: the closed set of their codes, and the table of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.outcome import OK, Outcome
from sketch_models.errors import SengaError

MEANINGS = {
    OK: "the picture is in the shard",
    "timeout": "no connection, no whole header or no whole body within its time",
    "too_slow": "the body came slower than [download] min_speed",
    "connection_failed": "no such host, or the connection was refused, reset or closed",
    "tls_failed": "the server's certificate or its encryption cannot be trusted",
    "incomplete": "the connection ended before the announced length",
    "shut_out": "403, and the host served nothing else meanwhile either",
    "host_unavailable": "not asked: its host had failed for [download] host_timeout seconds",
    "bad_url": "not a URL, or one that programs read in different ways",
    "wrong_scheme": "neither http nor https",
    "wrong_host": "a host that neither the source nor [download] hosts allows",
    "private_address": "a host on the loopback, in a private network or link-local",
    "robots_txt": "the host's robots.txt disallows it",
    "noai": "X-Robots-Tag says noai or noimageai",
    "too_many_redirects": "five redirects, and no end",
    "html": "a web page in the place of a picture",
    "wrong_content_type": "the answer says that it is no picture",
    "wrong_type": "a picture of another type than the URL's extension says",
    "too_many_bytes": "the file is larger than [download] max_bytes",
    "empty": "a file of 0 bytes",
    "not_a_picture": "neither JPEG nor PNG nor GIF",
    "polyglot": "a picture that is a script, an archive or a program, too",
    "zero_pixels": "a header that claims a side of 0",
    "too_large": "a header that claims more than 100 million pixels",
    "absurd_aspect": "a header that claims a side 50 times the other",
    "truncated": "a picture that ends too soon",
    "broken": "a picture that cannot be decoded",
}
"""Every code but one family: `http_<status>` for a response other than 200, such as `http_404`."""

_TRANSIENT = {
    "timeout",
    "too_slow",
    "connection_failed",
    "tls_failed",
    "incomplete",
    "shut_out",
    "host_unavailable",
}
_TRANSIENT_STATUSES = {408, 425, 429}  # request timeout, too early, too many requests
_BLOCKED = {"bad_url", "wrong_scheme", "wrong_host", "private_address", "robots_txt"}
_STATUS_CODE = re.compile(r"http_[1-5][0-9][0-9]")

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
    """Return whether a later request may succeed."""
    family, _, status = code.partition("_")
    if family == "http":
        return is_transient_status(int(status))
    return code in _TRANSIENT


def is_transient_status(status: int) -> bool:
    """Return whether a later request may get another HTTP status."""
    return status in _TRANSIENT_STATUSES or status >= 500


def is_blocked(code: str) -> bool:
    """Return whether a URL was refused before any request, so that checking it again is free."""
    return code in _BLOCKED


def is_code(text: str) -> bool:
    """Return whether a text is one of the codes."""
    return text in MEANINGS or bool(_STATUS_CODE.fullmatch(text))


@dataclass(frozen=True)
class DownloadOutcome(Outcome):
    """The outcome of the URL of one post.

    Attributes:
        url: as the post has it, before any redirect.
        status: of the last HTTP response; None if there was none.
        bytes: length of the body: announced if it was refused unread, else received.
        sha256: of the bytes that were kept, 64 hex digits; empty if none were.
    """

    url: str = ""
    status: int | None = None
    bytes: int = 0
    sha256: str = ""

    @property
    def transient(self) -> bool:
        """Whether a later request may succeed."""
        return is_transient(self.code)


def write_outcomes(outcomes: Iterable[DownloadOutcome], path: Path) -> None:
    """Write a Parquet table, one row per URL in the given order.

    Columns: `id`, `url`, `code`, `status`, `bytes`, `sha256`, `transient`, `detail`.
    """
    rows = [vars(outcome) | {"transient": outcome.transient} for outcome in outcomes]
    pl.DataFrame(rows, schema=_SCHEMA).write_parquet(path)


def read_outcomes(path: Path) -> dict[int, DownloadOutcome]:
    """Read a table of outcomes; return them by post id, in the order of the table.

    Raises:
        SengaError: if the file is not such a table.
    """
    try:
        rows = pl.read_parquet(path, columns=list(_SCHEMA)).drop("transient").to_dicts()
    except pl.exceptions.PolarsError as error:
        raise SengaError(
            f"{path} is not a table of download outcomes. Delete it and run again."
        ) from error
    return {row["id"]: DownloadOutcome(**row) for row in rows}
