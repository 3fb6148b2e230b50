"""The client of the build, for the hosts that the source implies, or for the sample booru."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from functools import cache

from pipeline import lock
from pipeline.collect.client import PoliteClient
from pipeline.collect.download import DownloadOptions
from pipeline.posts.boards.known import picture_hosts
from pipeline.posts.options import MetadataOptions
from tasks import config

logger = logging.getLogger("senga")

_SAFEBOORU = "safebooru.org"
_BOARDS = (  # whose posts tables have; see `layouts.LAYOUTS`
    _SAFEBOORU,
    "donmai.us",
    "e621.net",
    "gelbooru.com",
    "konachan.com",
    "konachan.net",
    "yande.re",
)
_SAMPLE_HOST = "safebooru.example"  # a name that no server on the internet can have (RFC 2606)


def source_hosts() -> tuple[str, ...]:
    """Return the hosts that the source of the posts implies."""
    metadata = config.options(MetadataOptions)
    if metadata.source == "sample":
        return (_SAMPLE_HOST,)
    if metadata.source == "api":
        return picture_hosts(metadata.api_url)
    return _BOARDS if metadata.source == "table" else (_SAFEBOORU,)


@contextlib.contextmanager
def open_client() -> Iterator[PoliteClient]:
    """Open the client; the sample booru, if it is the source, is served until the end.

    Other hosts are asked by one process at a time: the others wait here.
    """
    if _SAMPLE_HOST not in source_hosts():
        data = config.options(config.BuildOptions).folder.parent
        with lock.lock_downloads(data, _say_who_downloads):
            yield _shared_client()
        return
    from pipeline.sample_booru import HOST, serve  # draws, which no other source needs

    posts = config.options(MetadataOptions).sample_posts
    seed = config.options(config.BuildOptions).seed
    with serve(posts=posts, seed=seed) as address:
        options = config.options(DownloadOptions)
        yield PoliteClient(
            options=options, allowed_hosts=source_hosts(), connect_to={HOST: address}
        )


def _say_who_downloads(owner: str) -> None:
    logger.info("%s downloads: this process goes on when it is done.", owner.capitalize())


@cache
def _shared_client() -> PoliteClient:
    """Make one client per process, so that the pace of a host carries over between shards."""
    options = config.options(DownloadOptions)
    return PoliteClient(options=options, allowed_hosts=source_hosts(), notify=logger.info)
