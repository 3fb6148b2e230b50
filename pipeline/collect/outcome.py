"""Outcomes of URLs: the closed set of their codes, and the table of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.outcome import OK, Outcome
from pipeline.picture_format import FORMAT_NAMES
from pipeline.table import read_table, write_table
from pipeline.unexpected import UNEXPECTED

MEANINGS = {
    OK: "the picture is in the shard",
    "timeout": "connecting, the header or the whole response took longer than allowed",
    "too_slow": "the body arrived more slowly than [download] min_speed",
    "connection_failed": "unknown host, or the connection was refused, reset or closed",
    "tls_failed": "the server's certificate or TLS version is not accepted",
    "incomplete": "the connection ended before the announced length",
    "shut_out": "403, and the host has served no other picture since",
    "host_unavailable": "not requested: its host had failed for [download] host_timeout seconds",
    "bad_url": "not a valid URL, or one that different parsers read differently",
    "wrong_scheme": "the scheme is neither http nor https",
    "wrong_host": "neither the source nor [download] hosts allows this host",
    "private_address": "the host is on the loopback, in a private network, link-local, a cloud's "
    "metadata service or of another special purpose",
    "robots_txt": "disallowed by the host's robots.txt",
    "noai": "the X-Robots-Tag header contains noai or noimageai",
    "too_many_redirects": "more than five redirects",
    "html": "a web page instead of a picture",
    "wrong_content_type": "the Content-Type header is not that of a picture",
    "wrong_type": "the file type differs from the URL's extension; [download] wrong_type",
    "wrong_redirect": "a redirect to a file of another type, such as that of deleted pictures",
    "too_many_bytes": "the file is larger than [download] max_bytes",
    "empty": "the file has 0 bytes",
    "not_a_picture": f"the file is not {FORMAT_NAMES}",
    "polyglot": "the file is also a script, an archive or a program",
    "zero_pixels": "the header gives a side of 0 pixels",
    "too_large": "the header gives more than 100 million pixels",
    "too_complex": "more scans, segments or blocks than a picture of its size needs",
    "absurd_aspect": "the header gives a side more than 50 times as long as the other",
    "truncated": "the picture ends too early",
    "broken": "the picture cannot be decoded",
    "missing_file": "the file on this machine is not there any more",
    "changed_file": "the file on this machine has changed since it was imported",
    "unreadable": "the file on this machine cannot be read",
    UNEXPECTED: "an error that Senga did not foresee, a defect of it or of a library",
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
    "missing_file",
    "changed_file",
    "unreadable",
    UNEXPECTED,
}
_TRANSIENT_STATUSES = {408, 425, 429}  # request timeout, too early, too many requests
_BLOCKED = {"bad_url", "wrong_scheme", "wrong_host", "private_address", "robots_txt"}
_STATUS_CODE = re.compile(r"http_[1-9][0-9][0-9]")

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
    write_table(pl.DataFrame(rows, schema=_SCHEMA), path)


def read_outcomes(path: Path) -> dict[int, DownloadOutcome]:
    """Read a table of outcomes; return them by post id, in the order of the table.

    Raises:
        DamagedFileError: if the file is no such table.
    """
    rows = read_table(path, list(_SCHEMA)).drop("transient").to_dicts()
    return {row["id"]: DownloadOutcome(**row) for row in rows}
